"""CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy to normal form, judged as the agent's sanitizer judges them.

The order of the checks is that of pkg/policy/api/rule_validation.go, so that the reason given is usually the agent's.
In these kinds an empty list is not an absent one: ``fromEndpoints: []`` selects nobody.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from handlers.model.labels import Network, Source
from handlers.model.rule import (
    Authentication,
    Direction,
    Effect,
    LabelSelector,
    Listener,
    Operator,
    Origin,
    Peer,
    PeerKind,
    PeerScope,
    PolicyRef,
    PortRule,
    Requirement,
    Rule,
    Subject,
    SubjectKind,
    TlsContext,
)
from handlers.policy.cidr import (
    check_cidr,
    cidr_selectors,
    group_name_key,
    parse_address,
    parse_prefix,
    plain_cidr_selectors,
    prefix_requirement,
)
from handlers.policy.config import PolicyConfig
from handlers.policy.entities import entity_selectors
from handlers.policy.external_groups import external_group_key
from handlers.policy.fqdn import check_names
from handlers.policy.l7 import check_l7, read_l7
from handlers.policy.ports import read_cilium_port, read_icmp
from handlers.policy.selectors import (
    KeyExtender,
    RawRequirement,
    check_selector,
    cilium_peer,
    cilium_subject,
    compile_requirements,
    extended_key,
    extended_key_with_colon,
    node_peer,
    read_selector,
    selector_of,
)
from handlers.policy.services import ServiceReference, resolve, unread_service_peer
from handlers.policy.shapes import (
    PolicyError,
    as_mapping,
    as_text,
    integer_of,
    list_of,
    optional_boolean,
    optional_list,
    optional_mapping,
    text_of,
)
from handlers.policy.surroundings import Surroundings
from handlers.policy.versions import (
    CIDR_GROUP_LABELS,
    CLUSTER_MESH_ENTITY,
    DENY_SECTIONS_CHECKED,
    EXCEPT_MUST_BE_NARROWER,
    GROUPS_ARE_CIDR_GROUPS,
    HOST_DNS,
    REQUIRES_GONE,
    RESERVED_NEEDS_COLON,
    SECTIONS_REQUIRED,
    SERVICE_SELECTORS,
)

_MAX_PORTS = 40
_SECTIONS = (
    ("ingress", Direction.INGRESS, Effect.ALLOW),
    ("ingressDeny", Direction.INGRESS, Effect.DENY),
    ("egress", Direction.EGRESS, Effect.ALLOW),
    ("egressDeny", Direction.EGRESS, Effect.DENY),
)


class RequiresDerivative(Exception):  # noqa: N818 - not an error: the operator enforces another object in its place
    """The policy uses ``toGroups`` or ``fromGroups``: the agent leaves it to the object that the operator derives."""


@dataclass(frozen=True, slots=True)
class _Spec:
    """What all items of one spec share."""

    policy: PolicyRef
    pointer: str
    subject: Subject
    subject_is_init: bool
    default_deny: Mapping[Direction, bool]
    config: PolicyConfig
    surroundings: Surroundings
    entities: Mapping[str, tuple[LabelSelector, ...]]
    extend: KeyExtender

    @property
    def namespace(self) -> str:
        return self.policy.namespace

    @property
    def cluster(self) -> str:
        return self.config.selector_cluster

    @property
    def is_host_policy(self) -> bool:
        return self.subject.kind is SubjectKind.NODES


def parse_cilium_policy(
    manifest: Mapping[str, object], policy: PolicyRef, config: PolicyConfig, surroundings: Surroundings
) -> list[Rule]:
    """Give the rules of a policy: those of ``spec`` and those of every entry of ``specs``.

    Raises PolicyError when the agent refuses it (one bad entry refuses all:
    pkg/k8s/apis/cilium.io/v2/cnp_types.go:168-225), and RequiresDerivative when it leaves it to the operator.
    """
    specs: list[tuple[str, object]] = []
    if manifest.get("spec") is not None:
        specs.append(("/spec", manifest["spec"]))
    listed = optional_list(manifest, "specs", "")
    specs.extend((f"/specs/{index}", spec) for index, spec in enumerate(listed or []))
    if not specs and listed is None:
        raise PolicyError(f"Invalid {policy.kind} spec(s): empty policy")
    entities = entity_selectors(config.cluster_name, with_mesh=config.holds(CLUSTER_MESH_ENTITY))
    rules: list[Rule] = []
    derivative = False
    for pointer, value in specs:
        where = "spec" if pointer == "/spec" else "specs"
        try:
            parsed, needs_operator = _parse_spec(
                as_mapping(value, pointer), pointer, policy, config, surroundings, entities
            )
        except PolicyError as error:
            raise PolicyError(f"Invalid {policy.kind} {where}: {error}") from error
        rules.extend(parsed)
        derivative = derivative or needs_operator
    if derivative:
        raise RequiresDerivative
    return rules


def _parse_spec(
    spec: Mapping[str, object],
    pointer: str,
    policy: PolicyRef,
    config: PolicyConfig,
    surroundings: Surroundings,
    entities: Mapping[str, tuple[LabelSelector, ...]],
) -> tuple[list[Rule], bool]:
    sections = {name: list_of(spec, name, pointer) for name, _, _ in _SECTIONS}
    if not any(sections.values()) and config.holds(SECTIONS_REQUIRED):
        raise PolicyError("rule must have at least one of Ingress, IngressDeny, Egress, EgressDeny")
    default_deny = _default_deny(spec, pointer, config)
    extend = extended_key_with_colon if config.holds(RESERVED_NEEDS_COLON) else extended_key
    subject, is_init = _subject(spec, pointer, policy, extend)
    shared = _Spec(policy, pointer, subject, is_init, default_deny, config, surroundings, entities, extend)
    rules: list[Rule] = []
    derivative = False
    for name, direction, effect in _SECTIONS:
        for index, item in enumerate(sections[name]):
            here = f"{pointer}/{name}/{index}"
            entry = _Item(shared, direction, effect, Origin(policy, here), as_mapping(item, here))
            rules.append(entry.rule())
            derivative = derivative or entry.uses_groups
    if subject.kind is SubjectKind.NODES and policy.namespace:
        raise PolicyError("rule cannot have NodeSelector")
    return rules, derivative


def _default_deny(spec: Mapping[str, object], pointer: str, config: PolicyConfig) -> dict[Direction, bool]:
    """Read ``enableDefaultDeny``: unset means true wherever there are items (rule_validation.go:47-64)."""
    here = f"{pointer}/enableDefaultDeny"
    field = as_mapping(spec.get("enableDefaultDeny"), here)
    wanted = {direction: optional_boolean(field, direction, here) for direction in Direction}
    if not config.non_default_deny:
        return dict.fromkeys(Direction, True)
    return {direction: value is not False for direction, value in wanted.items()}


def _subject(spec: Mapping[str, object], pointer: str, policy: PolicyRef, extend: KeyExtender) -> tuple[Subject, bool]:
    has_endpoints, has_nodes = "endpointSelector" in spec, "nodeSelector" in spec
    if not has_endpoints and not has_nodes:
        raise PolicyError("rule must have one of EndpointSelector or NodeSelector")
    if has_endpoints and has_nodes:
        raise PolicyError("rule cannot have both EndpointSelector and NodeSelector")
    here = f"{pointer}/endpointSelector" if has_endpoints else f"{pointer}/nodeSelector"
    raw = read_selector(spec["endpointSelector" if has_endpoints else "nodeSelector"], here)
    check_selector(raw, extend)
    if has_nodes:
        selector = selector_of(compile_requirements(raw, extend))
        return Subject(SubjectKind.NODES, selector, here, policy.namespace), False
    is_init = any(extend(one.key) == "reserved.init" for one in raw)
    selector = cilium_subject(raw, namespace=policy.namespace, extend=extend, pointer=here)
    return Subject(SubjectKind.ENDPOINTS, selector, here, policy.namespace), is_init


class _Item:
    """One item of a section on its way to a rule."""

    def __init__(
        self, spec: _Spec, direction: Direction, effect: Effect, origin: Origin, fields: Mapping[str, object]
    ) -> None:
        self.spec = spec
        self.direction = direction
        self.effect = effect
        self.origin = origin
        self.fields = fields
        self.pointer = origin.pointer
        self.side = "from" if direction is Direction.INGRESS else "to"
        self.checked = effect is Effect.ALLOW or spec.config.holds(DENY_SECTIONS_CHECKED)
        self.uses_groups = False
        self.unresolved_services: tuple[str, ...] = ()

    def rule(self) -> Rule:
        """Read, check and build; raises PolicyError."""
        ports = self._port_rules()
        scope, peers = self._peers(has_ports=bool(list_of(self.fields, "toPorts", self.pointer)))
        requires = self._requires()
        icmps = self._icmps(has_ports=bool(ports))
        authentication = optional_mapping(self.fields, "authentication", self.pointer)
        mode = "" if authentication is None else text_of(authentication, "mode", f"{self.pointer}/authentication")
        return Rule(
            direction=self.direction,
            effect=self.effect,
            subject=self.spec.subject,
            scope=scope,
            peers=peers,
            ports=ports + icmps,
            default_deny=self.spec.default_deny[self.direction],
            origin=self.origin,
            authentication=(
                Authentication(mode) if mode in tuple(Authentication) and self.effect is Effect.ALLOW else None
            ),
            requires=requires,
            unresolved_services=self.unresolved_services,
        )

    def _list(self, suffix: str) -> list[object] | None:
        return optional_list(self.fields, f"{self.side}{suffix}", self.pointer)

    def _peers(self, *, has_ports: bool) -> tuple[PeerScope, tuple[Peer, ...]]:
        endpoints, nodes = self._list("Endpoints"), self._list("Nodes")
        entities, cidrs, cidr_set = self._list("Entities"), self._list("CIDR"), self._list("CIDRSet")
        groups = self._list("Groups")
        outgoing = self.direction is Direction.EGRESS
        # A deny item has no toFQDNs: the field is unknown there and goes unseen.
        fqdns = self._list("FQDNs") if outgoing and self.effect is Effect.ALLOW else None
        services = self._list("Services") if outgoing else None
        self._check_combination(
            {
                "Endpoints": endpoints,
                "CIDR": cidrs,
                "CIDRSet": cidr_set,
                "Entities": entities,
                "Nodes": nodes,
                "Groups": groups,
                "Services": services,
                "FQDNs": fqdns,
            }
        )
        if services and has_ports and self.checked and not self.spec.config.holds(SERVICE_SELECTORS):
            raise PolicyError("combining ToServices and ToPorts is not supported yet")
        is_enforced = self.spec.config.holds(GROUPS_ARE_CIDR_GROUPS)
        self.uses_groups = bool(groups) and not is_enforced
        if nodes and not self.spec.config.node_selector_labels and self.checked:
            raise PolicyError(
                'FromNodes/ToNodes rules can only be applied when the "enable-node-selector-labels" flag is set'
            )
        peers = [
            *self._each(endpoints, "Endpoints", self._endpoint_peer),
            *self._each(nodes, "Nodes", self._node_peer),
            *self._each(entities, "Entities", self._entity_peer),
            *self._each(cidrs, "CIDR", self._cidr_peer),
            *self._each(cidr_set, "CIDRSet", self._cidr_set_peer),
            *self._each(fqdns, "FQDNs", self._fqdn_peer),
            *self._each(groups if is_enforced else None, "Groups", self._group_peer),
        ]
        generated = self._service_peers(services)
        if any(listed is not None and not listed for listed in self._emptiable(endpoints, cidr_set, generated)) or any(
            listed is not None and not listed for listed in (nodes, entities, cidrs)
        ):
            return PeerScope.NOBODY, ()
        peers.extend(generated)
        return (PeerScope.LISTED, tuple(peers)) if peers else (PeerScope.UNRESTRICTED, ())

    @staticmethod
    def _emptiable(
        endpoints: list[object] | None, cidr_set: list[object] | None, generated: Sequence[Peer]
    ) -> tuple[Sequence[object] | None, Sequence[object] | None]:
        """Resolved Services land in these two lists, so that an empty one may not be empty any more."""
        selectors = [peer for peer in generated if not peer.cidr]
        prefixes = [peer for peer in generated if peer.cidr]
        return (selectors or endpoints), (prefixes or cidr_set)

    def _check_combination(self, lists: Mapping[str, list[object] | None]) -> None:
        if not self.checked:
            return
        used = [name for name, entries in lists.items() if entries]
        if len(used) > 1:
            first, second = (f"{self.side.capitalize()}{name}" for name in sorted(used)[:2])
            raise PolicyError(f"combining {first} and {second} is not supported yet")

    def _each(self, entries: list[object] | None, suffix: str, read: Callable[[object, str], Peer]) -> list[Peer]:
        return [read(item, f"{self.pointer}/{self.side}{suffix}/{index}") for index, item in enumerate(entries or [])]

    def _raw(self, item: object, pointer: str) -> tuple[RawRequirement, ...]:
        raw = read_selector(item, pointer)
        if self.checked:
            check_selector(raw, self.spec.extend)
        return raw

    def _endpoint_peer(self, item: object, pointer: str) -> Peer:
        raw = self._raw(item, pointer)
        selector = cilium_peer(
            raw,
            namespace=self.spec.namespace,
            cluster=self.spec.cluster,
            subject_is_init=self.spec.subject_is_init,
            extend=self.spec.extend,
            pointer=pointer,
        )
        return Peer(PeerKind.ENDPOINTS, (selector,), pointer, _written(raw))

    def _node_peer(self, item: object, pointer: str) -> Peer:
        raw = self._raw(item, pointer)
        selector = node_peer(raw, cluster=self.spec.cluster, extend=self.spec.extend, pointer=pointer)
        return Peer(PeerKind.NODES, (selector,), pointer, f"nodes with {_written(raw)}")

    def _entity_peer(self, item: object, pointer: str) -> Peer:
        name = as_text(item, pointer)
        selectors = self.spec.entities.get(name)
        if selectors is None:
            raise PolicyError(f"unsupported entity: {name[:60]} ({pointer})")
        return Peer(PeerKind.ENTITY, selectors, pointer, name)

    def _cidr_peer(self, item: object, pointer: str) -> Peer:
        text = as_text(item, pointer)
        check_cidr(text, pointer)
        return Peer(PeerKind.CIDR, plain_cidr_selectors(text, self.spec.config), pointer, text, cidr=text)

    def _cidr_set_peer(self, item: object, pointer: str) -> Peer:
        entry = as_mapping(item, pointer)
        cidr, group = text_of(entry, "cidr", pointer), text_of(entry, "cidrGroupRef", pointer)
        excepts = [
            as_text(value, f"{pointer}/except/{index}") for index, value in enumerate(list_of(entry, "except", pointer))
        ]
        by_label = optional_mapping(entry, "cidrGroupSelector", pointer)
        if by_label is not None and not self.spec.config.holds(CIDR_GROUP_LABELS):
            raise PolicyError(f"cidrGroupSelector is not known yet ({pointer})")
        chosen = [bool(cidr), bool(group), by_label is not None].count(True)
        if chosen != 1:
            wrong = "more than one" if chosen else "one"
            tail = "may not be set" if chosen else "is required"
            raise PolicyError(f"{wrong} of cidr, cidrGroupRef, or cidrGroupSelector {tail} ({pointer})")
        if by_label is not None:
            return self._group_peer_by_label(by_label, excepts, pointer)
        if group:
            requirement = Requirement(Source.CIDR_GROUP, group_name_key(group), Operator.EXISTS, pointer=pointer)
            carved = self._carved(excepts)
            return Peer(
                PeerKind.CIDR_GROUP,
                (LabelSelector((requirement, *carved)),),
                pointer,
                f"CIDR group {group}",
                excepts=tuple(excepts),
            )
        network = parse_prefix(cidr)
        if network is None:
            raise PolicyError(f"unable to parse CIDRRule ({pointer}/cidr)")
        for index, text in enumerate(excepts):
            _check_except(network, cidr, text, f"{pointer}/except/{index}", self.spec.config)
        return Peer(
            PeerKind.CIDR,
            cidr_selectors(network, _lenient(excepts), self.spec.config),
            pointer,
            cidr + (f" except {', '.join(excepts)}" if excepts else ""),
            cidr=cidr,
            excepts=tuple(excepts),
        )

    def _carved(self, excepts: Sequence[str]) -> tuple[Requirement, ...]:
        config = self.spec.config
        return tuple(prefix_requirement(one, Operator.DOES_NOT_EXIST, config) for one in _lenient(excepts))

    def _group_peer_by_label(self, selector: Mapping[str, object], excepts: list[str], pointer: str) -> Peer:
        here = f"{pointer}/cidrGroupSelector"
        raw = read_selector(selector, here)

        def extend(key: str) -> str:
            return f"{Source.CIDR_GROUP}.{key}"

        check_selector(raw, extend)
        requirements = [*compile_requirements(raw, extend), *self._carved(excepts)]
        return Peer(
            PeerKind.CIDR_GROUP,
            (selector_of(requirements),),
            pointer,
            f"CIDR groups with {_written(raw)}",
            excepts=tuple(excepts),
        )

    def _group_peer(self, item: object, pointer: str) -> Peer:
        key = external_group_key(item, pointer)
        selector = LabelSelector((Requirement(Source.CIDR_GROUP, key, Operator.EQUALS, ("",), pointer=pointer),))
        return Peer(PeerKind.CIDR_GROUP, (selector,), pointer, f"external group {key}")

    def _fqdn_peer(self, item: object, pointer: str) -> Peer:
        entry = as_mapping(item, pointer)
        name, pattern = text_of(entry, "matchName", pointer), text_of(entry, "matchPattern", pointer)
        check_names(name, pattern, pointer, exclusive=True)
        requirement = Requirement(Source.FQDN, name or pattern, Operator.EXISTS, pointer=pointer)
        return Peer(PeerKind.FQDN, (LabelSelector((requirement,)),), pointer, name or pattern)

    def _service_peers(self, entries: list[object] | None) -> list[Peer]:
        references = [
            ServiceReference(item, f"{self.pointer}/toServices/{index}") for index, item in enumerate(entries or [])
        ]
        # Only allow items are resolved (pkg/policy/k8s/service.go, processRule); in a deny item the field does nothing.
        if not references or self.effect is Effect.DENY:
            return []
        services = self.spec.surroundings.services
        if services is None:
            return [unread_service_peer(one, self.spec.policy) for one in references]
        peers = resolve(references, services, config=self.spec.config)
        answered = {peer.pointer for peer in peers}
        self.unresolved_services = tuple(str(one) for one in references if one.pointer not in answered)
        return peers

    def _requires(self) -> tuple[Requirement, ...]:
        field = f"{self.side}Requires"
        entries = list_of(self.fields, field, self.pointer)
        if entries and self.spec.config.holds(REQUIRES_GONE):
            raise PolicyError(f"{field} is no longer supported ({self.pointer}/{field})")
        requirements: list[Requirement] = []
        for index, item in enumerate(entries):
            here = f"{self.pointer}/{field}/{index}"
            selector = cilium_peer(
                self._raw(item, here),
                namespace=self.spec.namespace,
                cluster=self.spec.cluster,
                subject_is_init=self.spec.subject_is_init,
                extend=self.spec.extend,
                pointer=here,
                reserved_exempt=False,
            )
            requirements.extend(selector.requirements)
        return tuple(requirements)

    def _icmps(self, *, has_ports: bool) -> tuple[PortRule, ...]:
        entries = list_of(self.fields, "icmps", self.pointer)
        if entries and self.checked:
            if not self.spec.config.icmp_rules:
                raise PolicyError('ICMP rules can only be applied when the "enable-icmp-rules" flag is set')
            if has_ports:
                raise PolicyError(
                    "the ICMPs block may only be present without ToPorts. Define a separate rule to use ToPorts"
                )
        pointers = [f"{self.pointer}/icmps/{index}" for index in range(len(entries))]
        return tuple(
            PortRule(read_icmp(item, pointer), pointer) for item, pointer in zip(entries, pointers, strict=True)
        )

    def _port_rules(self) -> tuple[PortRule, ...]:
        entries = list_of(self.fields, "toPorts", self.pointer)
        return tuple(self._port_rule(item, self.origin.at("toPorts", index)) for index, item in enumerate(entries))

    def _port_rule(self, item: object, origin: Origin) -> PortRule:
        pointer = origin.pointer
        entry = as_mapping(item, pointer)
        listed = list_of(entry, "ports", pointer)
        if len(listed) > _MAX_PORTS:
            raise PolicyError(f"too many ports, the max is {_MAX_PORTS} ({pointer})")
        if self.effect is Effect.DENY:
            ports = tuple(
                read_cilium_port(port, f"{pointer}/ports/{index}", self.spec.config, has_dns=False, has_rules=False)
                for index, port in enumerate(listed)
            )
            return PortRule(ports, pointer)
        return self._allow_port_rule(entry, listed, origin)

    def _allow_port_rule(self, entry: Mapping[str, object], listed: list[object], origin: Origin) -> PortRule:
        pointer, config = origin.pointer, self.spec.config
        l7, present = read_l7(entry.get("rules"), origin.at("rules"), config)
        has_rules = l7 is not None and l7.count > 0
        has_dns = l7 is not None and bool(l7.dns)
        server_names = tuple(
            as_text(name, f"{pointer}/serverNames/{index}")
            for index, name in enumerate(list_of(entry, "serverNames", pointer))
        )
        terminating = _tls(entry, "terminatingTLS", pointer)
        self._check_l7_support(has_rules, has_dns, l7 is not None and bool(l7.http or l7.parser == "kafka"))
        if server_names and has_rules and terminating is None:
            raise PolicyError(f"ServerNames are not allowed with L7 rules without TLS termination ({pointer})")
        if "" in server_names:
            raise PolicyError(f"empty server name is not allowed ({pointer})")
        ports = tuple(
            read_cilium_port(port, f"{pointer}/ports/{index}", config, has_dns=has_dns, has_rules=has_rules)
            for index, port in enumerate(listed)
        )
        if has_rules and not has_dns:
            for port in ports:
                if port.protocol != "TCP":
                    raise PolicyError(f"L7 rules can only apply to TCP (not {port.protocol}) except for DNS rules")
        listener = _listener(entry, pointer)
        if listener is not None and self.direction is Direction.INGRESS:
            raise PolicyError(f"Listener is not allowed on ingress ({listener.name[:60]})")
        if listener is not None and has_rules:
            raise PolicyError(f"Listener is not allowed with L7 rules ({listener.name[:60]})")
        if has_rules and l7 is not None:
            check_l7(l7, present, bool(listed), origin.at("rules").pointer)
        return PortRule(
            ports=ports,
            pointer=pointer,
            l7=l7 if has_rules or (l7 is not None and l7.parser) else None,
            server_names=server_names,
            terminating_tls=terminating,
            originating_tls=_tls(entry, "originatingTLS", pointer),
            listener=listener,
        )

    def _check_l7_support(self, has_rules: bool, has_dns: bool, has_http_or_kafka: bool) -> None:
        if not has_rules:
            return
        ingress, host = self.direction is Direction.INGRESS, self.spec.is_host_policy
        if host and ingress:
            raise PolicyError("L7 policy is not supported on host ingress yet")
        if not self.spec.config.l7_proxy:
            raise PolicyError("L7 policy is not supported since L7 proxy is not enabled")
        if ingress and has_dns:
            raise PolicyError("L7 protocol DNS is not supported on ingress yet")
        if host and not self.spec.config.holds(HOST_DNS):
            raise PolicyError("host policies do not support L7 rules yet")
        if host and has_http_or_kafka:
            raise PolicyError("L7 protocol HTTP is not supported on host egress yet")


def _written(raw: Sequence[RawRequirement]) -> str:
    words = []
    for one in raw:
        if one.operator is Operator.EQUALS:
            words.append(f"{one.key}={one.values[0]}")
        elif one.values:
            words.append(f"{one.key} {one.operator} ({','.join(one.values)})")
        else:
            words.append(f"{one.key} {one.operator}")
    return ",".join(words) or "{}"


def _lenient(texts: Sequence[str]) -> list[Network]:
    return [network for network in map(parse_prefix, texts) if network is not None]


def _check_except(network: Network, cidr: str, text: str, pointer: str, config: PolicyConfig) -> None:
    """An exception must begin inside its prefix: compared by its address as written (rule_validation.go, CIDRRule)."""
    prefix, address = parse_prefix(text), parse_address(text.partition("/")[0])
    if prefix is None or address is None:
        raise PolicyError(f"unable to parse except ({pointer})")
    is_wider = config.holds(EXCEPT_MUST_BE_NARROWER) and network.prefixlen > prefix.prefixlen
    if is_wider or address.version != network.version or address not in network:
        raise PolicyError(f"allow CIDR prefix {cidr[:60]} does not contain exclude CIDR prefix {text[:60]}")


def _tls(entry: Mapping[str, object], field: str, pointer: str) -> TlsContext | None:
    context = optional_mapping(entry, field, pointer)
    if context is None:
        return None
    secret = as_mapping(context.get("secret"), f"{pointer}/{field}/secret")
    here = f"{pointer}/{field}/secret"
    return TlsContext(text_of(secret, "namespace", here), text_of(secret, "name", here))


def _listener(entry: Mapping[str, object], pointer: str) -> Listener | None:
    here = f"{pointer}/listener"
    listener = optional_mapping(entry, "listener", pointer)
    if listener is None:
        return None
    envoy = as_mapping(listener.get("envoyConfig"), f"{here}/envoyConfig")
    return Listener(
        kind=text_of(envoy, "kind", f"{here}/envoyConfig"),
        config=text_of(envoy, "name", f"{here}/envoyConfig"),
        name=text_of(listener, "name", here),
        priority=integer_of(listener, "priority", here, 0, 255),
    )
