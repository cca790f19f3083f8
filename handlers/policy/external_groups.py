"""Groups of addresses that a cloud provider knows (``toGroups``, ``fromGroups``), from 1.20 on.

The operator asks the provider and writes the addresses into a CiliumCIDRGroup; the agent finds that by a label whose
key is a hash of the group as written (pkg/policy/api/groups.go).
"""

import base64
import hashlib
import json

from handlers.policy.shapes import as_mapping, as_text, list_of, optional_mapping, text_map, text_of

_KEY_PREFIX = "extgrp.cilium.io/"


def external_group_key(item: object, pointer: str) -> str:
    """Give the key of the label that the CIDR group of an external group bears; raises PolicyError for wrong types."""
    group = as_mapping(item, pointer)
    aws = optional_mapping(group, "aws", pointer)
    written: dict[str, object] = {}
    if aws is not None:
        here = f"{pointer}/aws"
        fields: dict[str, object] = {
            "labels": dict(sorted(text_map(aws, "labels", here).items())),
            "securityGroupsIds": [as_text(one, here) for one in list_of(aws, "securityGroupsIds", here)],
            "securityGroupsNames": [as_text(one, here) for one in list_of(aws, "securityGroupsNames", here)],
            "region": text_of(aws, "region", here),
        }
        written["aws"] = {name: value for name, value in fields.items() if value}
    digest = hashlib.sha224(_as_go_writes(written).encode()).digest()
    return _KEY_PREFIX + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _as_go_writes(value: object) -> str:
    """Write JSON as Go's encoder does: without blanks, and with the characters of HTML escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.translate({ord(one): f"\\u{ord(one):04x}" for one in "<>&\u2028\u2029"})
