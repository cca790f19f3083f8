"""Application rules: reading them, and matching HTTP requests and DNS names against them."""

from collections.abc import Mapping

from handlers.model.decision import HttpDiffers
from handlers.model.rule import DnsRule, HeaderMatch, HttpRule, L7Kind, L7Rules, Origin, PolicyRef
from handlers.model.traffic import HttpRequest
from handlers.policy.config import PolicyConfig
from handlers.policy.fqdn import check_names
from handlers.policy.regexp import RegexpError, check_regexp, full_match
from handlers.policy.shapes import PolicyError, as_mapping, as_text, list_of, optional_list, optional_mapping, text_of
from handlers.policy.versions import KAFKA_GONE

_MISMATCH_ACTIONS = ("", "LOG", "ADD", "DELETE", "REPLACE")
_FIELDS = ("http", "kafka", "dns", "l7")


def read_l7(value: object, origin: Origin, config: PolicyConfig) -> tuple[L7Rules | None, tuple[str, ...]]:
    """Read ``rules`` of a port entry; gives them, and the list fields that are present even when empty.

    Raises PolicyError for wrong types. What the agent's sanitizer says about them comes later (check_l7).
    """
    pointer = origin.pointer
    rules = as_mapping(value, pointer)
    if config.holds(KAFKA_GONE):
        rules = {name: entries for name, entries in rules.items() if name in ("http", "dns")}
    lists = {name: optional_list(rules, name, pointer) for name in _FIELDS}
    parser = text_of(rules, "l7proto", pointer)
    present = tuple(name for name, entries in lists.items() if entries is not None)
    http = tuple(_read_http(item, origin.at("http", index)) for index, item in enumerate(lists["http"] or []))
    dns = tuple(_read_dns(item, origin.at("dns", index)) for index, item in enumerate(lists["dns"] or []))
    kafka = tuple(_read_pairs(item, f"{pointer}/kafka/{index}") for index, item in enumerate(lists["kafka"] or []))
    other = tuple(_read_pairs(item, f"{pointer}/l7/{index}") for index, item in enumerate(lists["l7"] or []))
    if parser:
        present = (*present, "l7proto")
    # The order in which the agent picks a parser: pkg/policy/l4.go, createL4Filter.
    if dns:
        return L7Rules(L7Kind.DNS, "dns", http=http, dns=dns, other=kafka + other), present
    if http:
        return L7Rules(L7Kind.HTTP, "http", http=http, other=kafka + other), present
    if kafka:
        return L7Rules(L7Kind.KAFKA, "kafka", other=kafka + other), present
    if parser:
        return L7Rules(L7Kind.PROXYLIB, parser, other=other), present
    return (L7Rules(L7Kind.PROXYLIB, "", other=other) if other else None), present


def _read_http(item: object, origin: Origin) -> HttpRule:
    pointer = origin.pointer
    rule = as_mapping(item, pointer)
    matches = []
    for index, entry in enumerate(list_of(rule, "headerMatches", pointer)):
        here = f"{pointer}/headerMatches/{index}"
        match = as_mapping(entry, here)
        secret = optional_mapping(match, "secret", here)
        matches.append(
            HeaderMatch(
                name=text_of(match, "name", here),
                value=text_of(match, "value", here),
                mismatch=text_of(match, "mismatch", here),
                secret=None if secret is None else text_of(secret, "name", here),
            )
        )
    return HttpRule(
        method=text_of(rule, "method", pointer),
        path=text_of(rule, "path", pointer),
        host=text_of(rule, "host", pointer),
        headers=tuple(
            as_text(entry, f"{pointer}/headers/{index}")
            for index, entry in enumerate(list_of(rule, "headers", pointer))
        ),
        header_matches=tuple(matches),
        origin=origin,
    )


def _read_dns(item: object, origin: Origin) -> DnsRule:
    rule = as_mapping(item, origin.pointer)
    return DnsRule(
        match_name=text_of(rule, "matchName", origin.pointer),
        match_pattern=text_of(rule, "matchPattern", origin.pointer),
        origin=origin,
    )


def _read_pairs(item: object, pointer: str) -> tuple[tuple[str, str], ...]:
    entry: Mapping[str, object] = as_mapping(item, pointer)
    return tuple(sorted((key, value if isinstance(value, str) else "") for key, value in entry.items()))


def check_l7(rules: L7Rules, present: tuple[str, ...], ports_listed: bool, pointer: str) -> None:
    """Judge the rules as the agent does; raises PolicyError (pkg/policy/api/rule_validation.go, L7Rules.sanitize)."""
    for rule in rules.http:
        _check_http(rule)
    if "dns" in present and not ports_listed:
        raise PolicyError(f"port 53 must be specified for DNS rules ({pointer})")
    for dns in rules.dns:
        check_names(dns.match_name, dns.match_pattern, pointer, exclusive=False)
    if "l7" in present and "l7proto" not in present:
        raise PolicyError(f"'l7' may only be specified when a 'l7proto' is also specified ({pointer})")
    if "l7proto" in present and any(not key for entry in rules.other for key, _ in entry):
        raise PolicyError(f"Empty key not allowed ({pointer})")
    if len([name for name in present if name != "l7"]) > 1:
        raise PolicyError(f"multiple L7 protocol rule types specified in single rule ({pointer})")


def _check_http(rule: HttpRule) -> None:
    where = rule.origin.pointer if rule.origin else ""
    for name, expression in (("path", rule.path), ("method", rule.method)):
        # Not the host: the agent passes it on unchecked (pkg/policy/api/http.go, Sanitize).
        try:
            if expression:
                check_regexp(expression)
        except RegexpError as error:
            raise PolicyError(f"error parsing regexp: {error} ({where}/{name})") from error
    for match in rule.header_matches:
        if not match.name:
            raise PolicyError(f"Header name missing ({where})")
        if match.mismatch not in _MISMATCH_ACTIONS:
            raise PolicyError(f"Invalid header action ({where})")
        if match.secret == "":
            raise PolicyError(f"Secret name missing ({where})")


def _header(request: HttpRequest, name: str) -> str | None:
    """Give a header's value; several of one name are joined by commas, as Envoy does."""
    values = [value for key, value in request.headers if key.lower() == name.lower()]
    return ",".join(values) if values else None


def http_differences(rule: HttpRule, request: HttpRequest, fallback: Origin) -> tuple[HttpDiffers, ...]:
    """Give the fields of the rule that the request does not satisfy; none means that it matches.

    Path (with its query), method and host are matched in full as expressions, headers literally; a header without a
    value only has to be there (pkg/envoy/policy/envoy_l7_rules_translator.go, getHTTPRule).
    """
    origin = rule.origin or fallback
    differences = []
    for name, wanted, had in (
        ("method", rule.method, request.method),
        ("path", rule.path, request.path),
        ("host", rule.host, request.host),
    ):
        if wanted and not full_match(wanted, had):
            differences.append(HttpDiffers(origin.at(name), name, wanted, had))
    for index, header in enumerate(rule.headers):
        name, separator, value = header.partition(" ")
        wanted_name = name.rstrip(":") if separator else name
        present = _header(request, wanted_name)
        # Envoy takes an exact match on an empty value for mere presence.
        if present is None or (value and present != value):
            differences.append(HttpDiffers(origin.at("headers", index), f"header {wanted_name}", value, present or ""))
    for index, match in enumerate(rule.header_matches):
        present = _header(request, match.name)
        # With a mismatch action the request passes, changed or only logged.
        if not match.mismatch and (present is None or (match.value and present != match.value)):
            differences.append(
                HttpDiffers(origin.at("headerMatches", index), f"header {match.name}", match.value, present or "")
            )
    return tuple(differences)


def http_matches(rule: HttpRule, request: HttpRequest) -> bool:
    """Tell whether a request satisfies the rule."""
    return not http_differences(rule, request, _NOWHERE)


_NOWHERE = Origin(PolicyRef("", "", ""), "")
