"""``values.schema.json``: what may be said in values, closed at every level that is the chart's own."""

import json
from collections.abc import Mapping
from typing import Any

from tools.chart.settings import groups

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NAME: Schema = {"type": "string", "minLength": 1}
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 1}
PORT: Schema = {"type": "integer", "minimum": 1, "maximum": 65535}
LABELS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
KUBERNETES: Schema = {"type": "object", "description": "As the Kubernetes API has it"}
KUBERNETES_LIST: Schema = {"type": "array", "items": KUBERNETES}
PREFIXES: Schema = {
    "type": "array",
    "minItems": 1,
    "items": {"type": "string", "pattern": "^[0-9a-fA-F.:]+/[0-9]{1,3}$"},
}
PORTS: Schema = {"type": "array", "minItems": 1, "items": PORT}
ID: Schema = {"type": ["integer", "null"], "minimum": 1}


def closed(properties: Mapping[str, Schema], *required: str) -> Schema:
    """Return the schema of an object that has these fields and no other."""
    needed = {"required": list(required)} if required else {}
    return {"type": "object", "additionalProperties": False, "properties": dict(properties), **needed}


def one_of(*words: str) -> Schema:
    """Return the schema of a choice."""
    return {"type": "string", "enum": list(words)}


_SECRET = closed({"name": TEXT, "key": NAME})
_PROCESS = {
    "resources": closed({"requests": KUBERNETES, "limits": KUBERNETES, "claims": KUBERNETES_LIST}),
    "extraEnv": KUBERNETES_LIST,
    "extraEnvFrom": KUBERNETES_LIST,
    "extraVolumes": KUBERNETES_LIST,
    "extraVolumeMounts": KUBERNETES_LIST,
    "podAnnotations": LABELS,
    "nodeSelector": LABELS,
    "tolerations": KUBERNETES_LIST,
    "affinity": KUBERNETES,
    "priorityClassName": TEXT,
}
_SEVERAL = {
    **_PROCESS,
    "replicas": COUNT,
    "topologySpreadConstraints": KUBERNETES_LIST,
    "podDisruptionBudget": closed({"enabled": FLAG, "maxUnavailable": {"type": ["integer", "string"]}}),
}
_KEDA_NEEDS_AN_ADDRESS: Schema = {
    "if": {
        "properties": {
            "worker": {
                "properties": {"autoscaling": {"properties": {"by": {"const": "keda"}}, "required": ["by"]}},
                "required": ["autoscaling"],
            },
            "redis": {"properties": {"embedded": {"properties": {"enabled": {"const": False}}}}},
        },
        "required": ["worker"],
    },
    "then": {
        "properties": {"worker": {"properties": {"autoscaling": {"properties": {"redisAddress": {"minLength": 1}}}}}}
    },
}
_NAMESPACES_ARE_NAMED: Schema = {
    "if": {"properties": {"scope": {"const": "namespaces"}}, "required": ["scope"]},
    "then": {"properties": {"namespaces": {"minItems": 1}}, "required": ["namespaces"]},
}
_METRICS_HAVE_A_PORT: Schema = {
    "if": {
        "properties": {"metrics": {"properties": {"podMonitor": {"properties": {"enabled": {"const": True}}}}}},
        "required": ["metrics"],
    },
    "then": {"properties": {"settings": {"properties": {"common": {"required": ["metricsPort"]}}}}},
}


def schema() -> Schema:
    """Return the schema of all values."""
    values = closed(
        {
            "global": {"type": "object", "description": "What a parent chart shares"},
            "nameOverride": TEXT,
            "fullnameOverride": TEXT,
            "commonLabels": LABELS,
            "podAnnotations": LABELS,
            "image": closed(
                {
                    "repository": NAME,
                    "tag": TEXT,
                    "digest": {"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"},
                    "pullPolicy": one_of("Always", "IfNotPresent", "Never"),
                    "pullSecrets": {"type": "array", "items": closed({"name": NAME}, "name")},
                }
            ),
            "secrets": closed(
                {
                    "existingSecret": NAME,
                    **dict.fromkeys(
                        ("redisUrl", "redisPassword", "slackBotToken", "slackAppToken", "slackSigningSecret"), _SECRET
                    ),
                    "alertsToken": _SECRET,
                }
            ),
            "settings": closed({name: closed(group) for name, group in groups().items()}),
            "clusters": {"type": "array", "items": _cluster()},
            "web": closed({**_SEVERAL, "terminationGracePeriodSeconds": COUNT}),
            "worker": closed(
                {
                    **_SEVERAL,
                    "deployments": one_of("one", "each"),
                    "concurrency": COUNT,
                    "terminationGracePeriodSeconds": {"type": ["integer", "null"], "minimum": 1},
                    "autoscaling": closed(
                        {
                            "by": one_of("off", "hpa", "keda"),
                            "minReplicas": COUNT,
                            "maxReplicas": COUNT,
                            "targetCpu": {"type": "integer", "minimum": 1, "maximum": 100},
                            "waiting": COUNT,
                            "redisAddress": {"type": "string", "pattern": r"^([^\s:]+:[0-9]+)?$"},
                            "redisTls": FLAG,
                            "redisDatabase": {"type": "integer", "minimum": 0},
                        }
                    ),
                }
            ),
            "beat": closed(_PROCESS),
            "service": closed(
                {"type": one_of("ClusterIP", "NodePort", "LoadBalancer"), "port": PORT, "annotations": LABELS}
            ),
            "relay": closed(
                {
                    "server": {"type": "string", "pattern": r"^(\S+:[0-9]+)?$"},
                    "tls": FLAG,
                    "tlsServerName": TEXT,
                    "existingSecret": TEXT,
                }
            ),
            "cilium": closed({"namespace": NAME, "relayNamespace": TEXT}),
            "serviceAccount": closed({"worker": closed({"create": FLAG, "name": TEXT, "annotations": LABELS})}),
            "rbac": {
                **closed(
                    {
                        "create": FLAG,
                        "scope": one_of("cluster", "namespaces"),
                        "namespaces": {"type": "array", "items": NAME, "uniqueItems": True},
                        "exec": FLAG,
                        "reviews": FLAG,
                        "watchEvents": FLAG,
                    }
                ),
                **_NAMESPACES_ARE_NAMED,
            },
            "networkPolicy": closed(
                {
                    "kind": one_of("off", "kubernetes", "cilium"),
                    "webFrom": KUBERNETES_LIST,
                    "metricsFrom": KUBERNETES_LIST,
                    "redisPods": KUBERNETES_LIST,
                    "redisCidrs": PREFIXES,
                    "redisPort": PORT,
                    "apiServerCidrs": PREFIXES,
                    "apiServerPorts": PORTS,
                    "slackCidrs": PREFIXES,
                    "slackNames": {"type": "array", "minItems": 1, "items": NAME},
                    "relayPorts": PORTS,
                    "dnsNamespace": NAME,
                    "dnsPods": {"type": "array", "minItems": 1, "items": {**LABELS, "minProperties": 1}},
                    "dnsPorts": PORTS,
                }
            ),
            "redis": closed(
                {
                    "embedded": closed({"enabled": FLAG, "image": NAME, "resources": _PROCESS["resources"]}),
                    "caSecret": TEXT,
                }
            ),
            "pod": closed({"runAsUser": ID, "runAsGroup": ID, "fsGroup": ID}),
            "metrics": closed(
                {
                    "podMonitor": closed({"enabled": FLAG, "interval": NAME, "labels": LABELS}),
                    "prometheusRule": closed({"enabled": FLAG, "labels": LABELS, "runbookUrl": TEXT}),
                    "dashboard": closed({"enabled": FLAG, "labels": LABELS}),
                }
            ),
            "extraObjects": KUBERNETES_LIST,
        }
    )
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **values,
        "allOf": [_KEDA_NEEDS_AN_ADDRESS, _METRICS_HAVE_A_PORT],
    }


def _cluster() -> Schema:
    return closed(
        {
            "name": {"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$"},
            "context": NAME,
            "kubeconfig": closed({"existingSecret": NAME, "key": NAME}, "existingSecret"),
            "ciliumNamespace": NAME,
            "source": {"type": "string", "pattern": "^(live|sysdump:.+|replay:.+)$"},
        },
        "name",
    )


def schema_file() -> str:
    """Return the file."""
    return json.dumps(schema(), indent=2) + "\n"
