"""All policies of a cluster, compiled once: the engine's front door."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import product

from handlers.model.decision import BothSides, Decision, NamedPortFault, PolicySummary, Reason, Verdict
from handlers.model.endpoint import EntityName
from handlers.model.labels import Label, LabelSet, Source
from handlers.model.party import MissingFact, NamedPort, Party, PartyKind
from handlers.model.policy_kind import PolicyKind, is_policy_kind, namespace_of
from handlers.model.rule import (
    Direction,
    Effect,
    L4Protocol,
    LabelSelector,
    PolicyRef,
    PolicyStatus,
    Rule,
    SubjectKind,
)
from handlers.model.traffic import Protocol, Traffic
from handlers.policy.addresses import AddressBook
from handlers.policy.cidr import Address, parse_address
from handlers.policy.combine import both_sides
from handlers.policy.config import Enforcement, PolicyConfig
from handlers.policy.decide import Outcome, Posture, Table, look_up, make_table
from handlers.policy.dns import decide_dns_name
from handlers.policy.explain import Explainer
from handlers.policy.parse_cilium import RequiresDerivative, parse_cilium_policy
from handlers.policy.parse_networkpolicy import parse_network_policy
from handlers.policy.parties import (
    party_of_address,
    party_of_entity,
    party_of_node,
    party_of_unread_node,
)
from handlers.policy.ports import NamedPortTable, resolve_ingress_name
from handlers.policy.regexp import NO_RE2, is_judged
from handlers.policy.shapes import PolicyError, as_mapping, text_of
from handlers.policy.summary import summarize
from handlers.policy.surroundings import Node, Surroundings
from handlers.policy.unread import fact_in_doubt
from handlers.policy.versions import HOST_BY_IDENTITY, LOCALHOST_NEEDS_A_RULE, NAMED_PORTS_PER_PEER
from handlers.policy.views import (
    NODE_KINDS,
    fqdn_labels_of,
    fqdn_selectors,
    is_local_node,
    is_under_policy,
    labels_seen,
    own_labels,
)

_REMEMBERED = 4096
_MOST_GUESSES = 6
Parser = Callable[[Mapping[str, object], PolicyRef, PolicyConfig, Surroundings], list[Rule]]
_PARSERS: Mapping[PolicyKind, Parser] = {
    PolicyKind.NETWORK_POLICY: lambda manifest, policy, config, _: parse_network_policy(manifest, policy, config),
    PolicyKind.CILIUM: parse_cilium_policy,
    PolicyKind.CILIUM_CLUSTERWIDE: parse_cilium_policy,
}
"""What makes the rules of a kind: it raises PolicyError for what the agent would refuse."""


def compile_policies(
    objects: Sequence[Mapping[str, object]], *, config: PolicyConfig, surroundings: Surroundings
) -> "PolicySet":
    """Compile policy objects; never raises for what is inside them.

    An object that the agent would refuse gets a status with the reason and contributes no rule; so does one of
    another kind.
    """
    rivals = tuple(
        (rival.nodes, compile_policies(objects, config=rival.config, surroundings=surroundings))
        for rival in config.rivals
    )
    statuses, rules = [], []
    for manifest in objects:
        status, parsed = _compile_one(manifest, config, surroundings)
        statuses.append(status)
        rules.extend(parsed)
    return PolicySet(tuple(statuses), tuple(rules), config, surroundings, rivals)


def _compile_one(
    manifest: Mapping[str, object], config: PolicyConfig, surroundings: Surroundings
) -> tuple[PolicyStatus, list[Rule]]:
    policy = PolicyRef("", "", "")
    try:
        policy = _reference(manifest)
        if not is_policy_kind(policy.kind):
            return PolicyStatus(policy, valid=False, reason="not a kind of policy that Cilium enforces"), []
        kind = PolicyKind(policy.kind)
        group = text_of(as_mapping(manifest, ""), "apiVersion", "").partition("/")[0]
        if group and group not in kind.api.groups:
            return PolicyStatus(policy, valid=False, reason=f"{kind} is not of API group {group[:60]}"), []
        if not policy.name:
            raise PolicyError(f"{kind} must have name")
        rules = _PARSERS[kind](manifest, policy, config, surroundings)
        if kind not in config.kinds:
            return PolicyStatus(policy, valid=True, ignored=f"{kind} is switched off"), []
    except PolicyError as error:
        return PolicyStatus(policy, valid=False, reason=str(error)), []
    except RequiresDerivative:
        return PolicyStatus(policy, valid=True, ignored="requires derivative (toGroups)"), []
    if not is_judged(rules):
        return PolicyStatus(policy, valid=True, unjudged=NO_RE2), [replace(rule, may_be_void=True) for rule in rules]
    return PolicyStatus(policy, valid=True), rules


def _reference(manifest: object) -> PolicyRef:
    fields = as_mapping(manifest, "")
    metadata = as_mapping(fields.get("metadata"), "/metadata")
    kind = text_of(fields, "kind", "")
    namespace = text_of(metadata, "namespace", "/metadata")
    if is_policy_kind(kind):
        namespace = namespace_of(kind, namespace)
    return PolicyRef(kind[:120], namespace, text_of(metadata, "name", "/metadata"))


class PolicySet:
    """Compiled policies. Decisions are pure functions of it; it only remembers which rules select which identity."""

    def __init__(
        self,
        statuses: tuple[PolicyStatus, ...],
        rules: tuple[Rule, ...],
        config: PolicyConfig,
        surroundings: Surroundings,
        rivals: tuple[tuple[frozenset[str] | None, "PolicySet"], ...] = (),
    ) -> None:
        """Index the rules; use ``compile_policies`` to make one from manifests.

        ``rivals`` are the same policies under the settings of other nodes, or under other settings that are possible.
        """
        self._rivals = rivals
        self.statuses = statuses
        self.rules = rules
        self.config = config
        self.surroundings = surroundings
        self._by_place: dict[tuple[Direction, SubjectKind, str], list[Rule]] = defaultdict(list)
        for rule in rules:
            self._by_place[rule.direction, rule.subject.kind, rule.subject.namespace].append(rule)
        self._fqdns = fqdn_selectors(selector for rule in rules for peer in rule.peers for selector in peer.selectors)
        self.addresses = AddressBook.of(rules, config, surroundings, self._learnt_labels())
        pods = surroundings.identities
        self._identities = None if pods is None else tuple(dict.fromkeys((*pods, *self.addresses.identities())))
        self._egress_names = NamedPortTable.of(surroundings.named_ports or ())
        self._names_per_peer = config.holds(NAMED_PORTS_PER_PEER)
        self._host_by_identity = config.holds(HOST_BY_IDENTITY)
        self._localhost_needs_a_rule = config.holds(LOCALHOST_NEEDS_A_RULE)
        self._peer_names: dict[tuple[tuple[NamedPort, ...], tuple[NamedPort, ...]], NamedPortTable] = {}
        self._selecting: dict[tuple[Direction, SubjectKind, LabelSet], tuple[Rule, ...]] = {}
        self._tables: dict[tuple[Direction, SubjectKind, LabelSet, LabelSet | None], Table] = {}
        self._explainer = Explainer(config, surroundings.fqdn_cache or {})

    @property
    def selectors(self) -> tuple[LabelSelector, ...]:
        """Every distinct selector of the rules, of subjects and of peers.

        Selectors are equal whatever place in a manifest they remember, so whoever matches them against many identities
        does it once for each of these.
        """
        found = dict.fromkeys(rule.subject.selector for rule in self.rules)
        found.update(
            dict.fromkeys(selector for rule in self.rules for peer in rule.peers for selector in peer.selectors)
        )
        return tuple(found)

    def _learnt_labels(self) -> dict[Address, tuple[Label, ...]]:
        """Give the ``fqdn:`` labels that the DNS cache of the surroundings adds to addresses."""
        names: dict[Address, list[str]] = defaultdict(list)
        if self._fqdns:
            for name, ips in (self.surroundings.fqdn_cache or {}).items():
                for address in map(parse_address, ips):
                    if address is not None:
                        names[address].append(name)
        found = {address: fqdn_labels_of(known, self._fqdns, self.config) for address, known in names.items()}
        return {address: labels for address, labels in found.items() if labels}

    def status_of(self, policy: PolicyRef) -> PolicyStatus | None:
        """Give the status of a policy of this set."""
        return next((status for status in self.statuses if status.policy == policy), None)

    def rules_selecting(self, subject: Party, direction: Direction) -> tuple[Rule, ...]:
        """Give the rules that select a party as their subject in one direction, in the order of the manifests.

        Only cluster-wide policies and those of the subject's own namespace can (pkg/policy/repository.go:374-391).
        """
        labels = own_labels(subject)
        kind = SubjectKind.NODES if subject.kind in NODE_KINDS else SubjectKind.ENDPOINTS
        key = (direction, kind, labels)
        found = self._selecting.get(key)
        if found is None:
            places = dict.fromkeys(("", labels.namespace))
            found = tuple(
                rule
                for namespace in places
                for rule in self._by_place.get((direction, kind, namespace), ())
                if rule.subject.selector.matches(labels)
            )
            if len(self._selecting) >= _REMEMBERED:
                self._selecting.clear()
            self._selecting[key] = found
        return found

    def posture(self, subject: Party, direction: Direction) -> Posture:
        """Tell how policy stands towards a party in one direction: rungs 1 and 2 of the ladder.

        The label keys ``host`` and ``init`` count whatever their source, as in the agent, which looks for them
        without one (pkg/policy/repository.go:363, 398): a pod with a label named ``init`` is isolated, one named
        ``host`` is not, unless the version looks at the identity's number (``host-by-identity``).
        """
        labels = own_labels(subject)
        config = self.config
        is_host = subject.kind in NODE_KINDS if self._host_by_identity else labels.find(Source.ANY, "host") is not None
        if is_host and not config.host_firewall:
            return Posture(enforced=False, default_deny=False, rules=())
        if config.enforcement is Enforcement.NEVER:
            return Posture(enforced=False, default_deny=False, rules=())
        rules = self.rules_selecting(subject, direction)
        if config.enforcement is Enforcement.ALWAYS or labels.find(Source.ANY, "init") is not None:
            return Posture(enforced=True, default_deny=True, rules=rules)
        return Posture(enforced=bool(rules), default_deny=any(rule.default_deny for rule in rules), rules=rules)

    def labels_seen(self, peer: Party, subject: Party) -> LabelSet:
        """Give the identity labels of the peer that the subject's policy is applied to."""
        fqdn: tuple[Label, ...] = ()
        if peer.fqdn_names and self._fqdns:
            fqdn = fqdn_labels_of(peer.fqdn_names, self._fqdns, self.config)
        return labels_seen(peer, subject, fqdn, self.config)

    def decide(self, direction: Direction, subject: Party, peer: Party, traffic: Traffic) -> Decision:
        """Decide one direction of a flow and explain it: ``subject`` is the end whose policy is asked.

        The settings of the subject's node judge; where it is not known which those are, all that are possible.
        """
        first, *others = self.judging(subject)
        decision = first.decide_by_own(direction, subject, peer, traffic)
        verdicts = {(decision.verdict, decision.l7)}
        for other in others:
            outcome, _ = other.outcome_by_own(direction, subject, peer, traffic)
            verdicts.add((outcome.verdict, outcome.l7))
        if len(verdicts) == 1:
            return decision
        missing = tuple(sorted({*decision.missing, MissingFact.VERSION}))
        return replace(decision, verdict=Verdict.UNKNOWN, reason=Reason.MISSING_FACT, missing=missing)

    def judging(self, subject: Party) -> tuple["PolicySet", ...]:
        """Give the policies under each of the settings that can be those of the subject's node, the likeliest first."""
        if not self._rivals:
            return (self,)
        for nodes, rival in self._rivals:
            if nodes is not None and subject.node in nodes:
                return rival.judging(subject)
        nowhere = not subject.node
        return (self, *(rival for nodes, rival in self._rivals if nodes is None or nowhere))

    def decide_by_own(self, direction: Direction, subject: Party, peer: Party, traffic: Traffic) -> Decision:
        """Decide and explain under these very settings, whichever node the subject is on."""
        decision = Decision(
            direction=direction,
            verdict=Verdict.NOT_APPLICABLE,
            reason=Reason.NOT_AN_ENDPOINT,
            subject=subject,
            peer=peer,
            traffic=traffic,
        )
        unread = self._unread_subject(direction, subject)
        if unread is not None:
            return replace(decision, verdict=Verdict.UNKNOWN, reason=Reason.MISSING_FACT, missing=(unread,))
        if not is_under_policy(subject, self.config):
            return decision
        posture = self.posture(subject, direction)
        labels = self.labels_seen(peer, subject)
        outcome, missing = self._outcome(direction, subject, peer, labels, posture, traffic)
        beyond = self._beyond(subject, peer, posture)
        if beyond:
            outcome = replace(outcome, verdict=Verdict.UNKNOWN, reason=Reason.BEYOND)
        decision = replace(
            decision,
            beyond=beyond,
            verdict=outcome.verdict,
            reason=outcome.reason,
            enforced=posture.enforced,
            default_deny=posture.default_deny,
            rules=outcome.origins(deny=outcome.verdict is Verdict.DENIED),
            entry_policies=outcome.policies,
            selected_by=tuple(sorted({rule.origin.policy for rule in posture.rules})),
            default_deny_by=tuple(rule.origin for rule in posture.rules if rule.default_deny),
            redirect=outcome.redirect,
            l7=outcome.l7,
            l7_open=outcome.l7_open,
            http_rules=outcome.http_rules,
            dns_rules=outcome.dns_rules,
            authentication=outcome.authentication,
            conflict=outcome.conflict,
            missing=missing,
        )
        if outcome.verdict is Verdict.DENIED:
            audited = self.config.audit_mode if subject.audit is None else subject.audit
            decision = replace(decision, audited=audited)
        return self._explainer.explain(
            decision, outcome, posture, labels, partial(self.resolve_name, direction, subject, peer=peer)
        )

    def outcome(
        self, direction: Direction, subject: Party, peer: Party, traffic: Traffic
    ) -> tuple[Outcome, tuple[MissingFact, ...]]:
        """Decide one direction without explaining it: for whoever compares a great many flows."""
        judges = self.judging(subject)
        found = [judge.outcome_by_own(direction, subject, peer, traffic) for judge in judges]
        if len({(outcome.verdict, outcome.l7) for outcome, _ in found}) == 1:
            return found[0]
        unknown = replace(found[0][0], verdict=Verdict.UNKNOWN, reason=Reason.MISSING_FACT)
        return unknown, (MissingFact.VERSION,)

    def outcome_by_own(
        self, direction: Direction, subject: Party, peer: Party, traffic: Traffic
    ) -> tuple[Outcome, tuple[MissingFact, ...]]:
        """Decide under these very settings, whichever node the subject is on."""
        unread = self._unread_subject(direction, subject)
        if unread is not None:
            return Outcome(Verdict.UNKNOWN, Reason.MISSING_FACT), (unread,)
        if not is_under_policy(subject, self.config):
            return Outcome(Verdict.NOT_APPLICABLE, Reason.NOT_AN_ENDPOINT), ()
        posture = self.posture(subject, direction)
        found = self._outcome(direction, subject, peer, self.labels_seen(peer, subject), posture, traffic)
        if not self._beyond(subject, peer, posture):
            return found
        return replace(found[0], verdict=Verdict.UNKNOWN, reason=Reason.BEYOND), found[1]

    def _unread_subject(self, direction: Direction, subject: Party) -> MissingFact | None:
        """Name what was not read of a subject, where that leaves open which rules select it."""
        if self.config.enforcement is Enforcement.NEVER:
            return None
        places: tuple[str, ...] = ("",)
        if MissingFact.LABELS in subject.missing:
            fact, kind, places = MissingFact.LABELS, SubjectKind.ENDPOINTS, ("", subject.labels.namespace)
        elif MissingFact.NODES in subject.missing and self.config.host_firewall:
            fact, kind = MissingFact.NODES, SubjectKind.NODES
        else:
            return None
        could_select = any(self._by_place.get((direction, kind, place)) for place in places)
        return fact if could_select or self.config.enforcement is Enforcement.ALWAYS else None

    def _beyond(self, subject: Party, peer: Party, posture: Posture) -> tuple[str, ...]:
        """Name what is in force, could matter for the two, and has a meaning that is not known."""
        if not self.config.beyond:
            return ()
        places = ("", own_labels(subject).namespace, own_labels(peer).namespace)
        return tuple(
            one.what for one in self.config.beyond if one.namespace in places and (one.is_policy or posture.enforced)
        )

    def _table(self, direction: Direction, subject: Party, posture: Posture, localhost: LabelSet | None) -> Table:
        kind = SubjectKind.NODES if subject.kind in NODE_KINDS else SubjectKind.ENDPOINTS
        labels = own_labels(subject)
        key = (direction, kind, labels, localhost)
        table = self._tables.get(key)
        if table is None:
            table = make_table(
                posture, direction, localhost=localhost, subject_namespace=labels.namespace, config=self.config
            )
            if len(self._tables) >= _REMEMBERED:
                self._tables.clear()
            self._tables[key] = table
        return table

    def _outcome(
        self,
        direction: Direction,
        subject: Party,
        peer: Party,
        labels: LabelSet,
        posture: Posture,
        traffic: Traffic,
    ) -> tuple[Outcome, tuple[MissingFact, ...]]:
        """Look up, trying unread facts both ways; gives an unknown outcome when that makes a difference."""
        # The host endpoint gets no allow-localhost entry (pkg/policy/resolve.go:348-350).
        from_localhost = (
            direction is Direction.INGRESS
            and self.config.always_allow_localhost
            and is_local_node(peer, subject)
            and subject.kind not in NODE_KINDS
            and (bool(posture.rules) or not self._localhost_needs_a_rule)
        )
        localhost = (
            labels
            if direction is Direction.INGRESS and self.config.always_allow_localhost and is_local_node(peer, subject)
            else None
        )
        table = self._table(direction, subject, posture, localhost)
        if posture.enforced and table.conflict is None:
            table = self._with_other_direction(direction, subject, table)
        hangs_on_void = self._hangs_on_void(direction, subject, posture)
        doubts = self._doubts(direction, subject, peer, labels, table)

        def attempt(guesses: Mapping[object, bool | int]) -> Outcome:
            def selects(selector: LabelSelector) -> bool:
                guess = guesses.get(selector)
                return bool(guess) if guess is not None else selector.matches(labels)

            def resolve(name: str, protocol: L4Protocol) -> int | NamedPortFault:
                guess = guesses.get((name, protocol))
                if guess is not None:
                    return traffic.port if guess else NamedPortFault.UNKNOWN
                return self.resolve_name(direction, subject, name, protocol, peer)

            return look_up(
                table,
                posture,
                traffic,
                selects,
                resolve,
                peer_is_allowed_localhost=from_localhost,
                identities=self._identities,
                config=self.config,
            )

        if not doubts and not hangs_on_void:
            return attempt({}), ()
        atoms = list(doubts)
        if len(atoms) <= _MOST_GUESSES:
            combinations: Iterable[tuple[bool, ...]] = product((False, True), repeat=len(atoms))
        else:
            combinations = (
                *((value,) * len(atoms) for value in (False, True)),
                *(tuple(one is index for one in range(len(atoms))) for index in range(len(atoms))),
                *(tuple(one is not index for one in range(len(atoms))) for index in range(len(atoms))),
            )
        outcomes = [attempt(dict(zip(atoms, values, strict=True))) for values in combinations]
        missing = set(doubts.values()) if len({(outcome.verdict, outcome.l7) for outcome in outcomes}) > 1 else set()
        if hangs_on_void and not all(_is_denied_anyway(outcome, posture) for outcome in outcomes):
            missing.add(MissingFact.EXPRESSIONS)
        if not missing:
            return outcomes[0], ()
        unknown = replace(outcomes[0], verdict=Verdict.UNKNOWN, reason=Reason.MISSING_FACT)
        return unknown, tuple(sorted(missing))

    def _hangs_on_void(self, direction: Direction, subject: Party, posture: Posture) -> bool:
        """Tell whether policies that may be refused select the subject, so that they could matter in this direction.

        Those of the other direction can by a contradiction, which a deny among them may hide.
        """
        if any(rule.may_be_void for rule in posture.rules):
            return True
        other = Direction.EGRESS if direction is Direction.INGRESS else Direction.INGRESS
        beside = [rule for rule in self.rules_selecting(subject, other) if rule.may_be_void] if posture.enforced else []
        if not beside:
            return False
        spoiled = self._table(other, subject, self.posture(subject, other), None).conflict is not None
        return spoiled or any(rule.effect is Effect.DENY for rule in beside)

    def _with_other_direction(self, direction: Direction, subject: Party, table: Table) -> Table:
        """Look for a conflict in the other direction: it spoils the whole endpoint's policy (repository.go:320-345)."""
        other = Direction.EGRESS if direction is Direction.INGRESS else Direction.INGRESS
        posture = self.posture(subject, other)
        if not posture.enforced:
            return table
        spoiled = self._table(other, subject, posture, None)
        return table if spoiled.conflict is None else replace(table, conflict=spoiled.conflict)

    def _doubts(
        self, direction: Direction, subject: Party, peer: Party, labels: LabelSet, table: Table
    ) -> dict[object, MissingFact]:
        """Find the selectors and port names whose meaning depends on a fact that was not read."""
        doubts: dict[object, MissingFact] = {}
        named_unread = (
            subject.named_ports is None if direction is Direction.INGRESS else self.surroundings.named_ports is None
        )
        for one in table.filters.values():
            if one.name and (named_unread or self.port_name_in_doubt(direction, peer, one.name, one.protocol)):
                doubts[one.name, one.protocol] = MissingFact.NAMED_PORTS
            for selector in one.cells:
                fact = fact_in_doubt(selector, peer, labels)
                if fact is not None:
                    doubts[selector] = fact
        return doubts

    def resolve_name(
        self, direction: Direction, subject: Party, name: str, protocol: L4Protocol, peer: Party | None = None
    ) -> int | NamedPortFault:
        """Resolve a port name: ingress by the subject's own ports, egress by those of all pods.

        In newer versions egress resolves it by the ports of the peer's identity (``named-ports-per-peer``); without a
        peer, any number that some pod has tells that the name is known.
        """
        if direction is Direction.INGRESS:
            return resolve_ingress_name(name, protocol, subject.named_ports or ())
        if not self._names_per_peer:
            return self._egress_names.resolve(name, protocol)
        if peer is None:
            return self._egress_names.some(name, protocol)
        return self._ports_of_identity(peer).resolve(name, protocol)

    def _ports_of_identity(self, peer: Party) -> NamedPortTable:
        if peer.kind is not PartyKind.ENDPOINT:
            return NamedPortTable.of(())
        shared = (self.surroundings.ports_of or {}).get(peer.labels, ())
        key = (peer.named_ports or (), shared)
        table = self._peer_names.get(key)
        if table is None:
            table = self._peer_names[key] = NamedPortTable.of((*key[0], *shared))
        return table

    def port_name_in_doubt(self, direction: Direction, peer: Party, name: str, protocol: L4Protocol) -> bool:
        """Tell whether another pod of the peer's identity, which was not read, could give a port name another number.

        Two numbers for one identity stand for none (pkg/types/portmap.go, LookupPort).
        """
        if direction is Direction.INGRESS or not self._names_per_peer or peer.kind is not PartyKind.ENDPOINT:
            return False
        if peer.named_ports is None:
            return True
        return self.surroundings.ports_of is None and len(self._egress_names.numbers_of(name, protocol)) > 1

    def combine(self, source: Party, destination: Party, traffic: Traffic) -> BothSides:
        """Decide both sides of a flow."""
        return both_sides(
            self.decide(Direction.EGRESS, source, destination, traffic),
            self.decide(Direction.INGRESS, destination, source, traffic),
            source,
            destination,
        )

    def decide_dns(self, subject: Party, dns: Party, name: str, traffic: Traffic | None = None) -> Decision:
        """Tell whether a party may look up a DNS name at a server: first the packet (53/UDP), then the name."""
        asked = traffic or Traffic(protocol=Protocol.UDP, port=53)
        return decide_dns_name(self.decide(Direction.EGRESS, subject, dns, asked), name, self.config)

    def selecting(self, subject: Party) -> tuple[PolicySummary, ...]:
        """Summarize every policy that selects a party, one entry for each direction."""
        return tuple(
            summary
            for direction in Direction
            for summary in summarize(self.rules_selecting(subject, direction), direction)
        )

    def party_of_ip(self, ip: str, fqdn_names: tuple[str, ...] | None = None) -> Party:
        """Give the party that an address outside the pods is: a node, or somebody outside, with Cilium's labels.

        ``fqdn_names`` are the DNS names that the node's cache has for it; without them the surroundings are asked.
        Pods are not looked for: the caller knows them. Raises ValueError for what is no IP address.
        """
        names = fqdn_names
        if names is None and self.surroundings.fqdn_cache is not None:
            cache = self.surroundings.fqdn_cache
            names = tuple(name for name, addresses in cache.items() if ip in addresses)
        return party_of_address(ip, self.addresses, names, with_dns=fqdn_names is None)

    def party_of_node(self, node: Node, ip: str = "") -> Party:
        """Give the party that a node is."""
        from_ip = self.party_of_ip(ip) if ip else None
        return from_ip if from_ip is not None and from_ip.name == node.name else party_of_node(node, self.addresses)

    def party_of_node_named(self, name: str | None, *, title: str, ips: tuple[str, ...] = ()) -> Party:
        """Give the party of a node of this cluster; ``title`` and ``ips`` count where that node was not read."""
        node = self.node_named(name)
        return party_of_unread_node(title, self.addresses, ips) if node is None else self.party_of_node(node)

    def party_of_entity(self, entity: EntityName, *, beside: str | None = "", ip_version: int = 4) -> Party:
        """Give the party that an entity is; ``beside`` is the node of the other end, which is what ``host`` means."""
        return party_of_entity(entity, self.addresses, beside=self.node_named(beside), ip_version=ip_version)

    def node_named(self, name: str | None) -> Node | None:
        """Find a node of this cluster."""
        ours = ("", self.config.cluster_name)
        nodes = self.surroundings.nodes or ()
        return next((node for node in nodes if node.name == name and node.cluster in ours), None)


def _is_denied_anyway(outcome: Outcome, posture: Posture) -> bool:
    """Tell whether a flow is denied whichever rules are void: by a sound deny, or because nothing allows it.

    What is void may also have narrowed other rules (``fromRequires``).
    """
    sound = [rule for rule in posture.rules if not rule.may_be_void]
    match outcome.verdict, outcome.reason:
        case Verdict.DENIED, Reason.EXPLICIT_DENY:
            return any(one.deny and not one.rule.may_be_void for one in outcome.contributions)
        case Verdict.DENIED, Reason.DEFAULT_DENY:
            isolated = any(rule.default_deny for rule in sound) or (posture.default_deny and not posture.rules)
            return isolated and not any(rule.requires for rule in posture.rules if rule.may_be_void)
    return False
