"""What policy says about a flow, and why, as values; texts are made from them last."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from handlers.model.labels import Label
from handlers.model.party import MissingFact, Party
from handlers.model.rule import (
    Authentication,
    Direction,
    DnsRule,
    Effect,
    HttpRule,
    Implied,
    Operator,
    Origin,
    PolicyRef,
)
from handlers.model.traffic import Traffic


class Verdict(StrEnum):
    """The outcome for one direction, or for both together."""

    ALLOWED = "allowed"
    DENIED = "denied"
    DENIED_L7 = "denied-l7"
    """The connection is let through to the proxy, which refuses the request (HTTP 403, DNS REFUSED)."""
    NOT_APPLICABLE = "n/a"
    """This end is under nobody's policy here."""
    ERROR = "error"
    """Rules contradict each other; the endpoint keeps the policy it had before (pkg/endpoint/policy.go:146-153)."""
    UNKNOWN = "unknown"
    """A fact that the outcome depends on was not read; ``missing`` names it."""


class Reason(StrEnum):
    """Which rung of the ladder decided (handlers/policy/decide.py)."""

    RULE = "rule"
    NO_POLICY = "no-policy"
    DEFAULT_ALLOW = "default-allow"
    """Only policies without default deny select the endpoint."""
    ALLOW_LOCALHOST = "allow-localhost"
    DEFAULT_DENY = "default-deny"
    EXPLICIT_DENY = "explicit-deny"
    NOT_AN_ENDPOINT = "not-an-endpoint"
    CONFLICT = "conflict"
    MISSING_FACT = "missing-fact"
    BEYOND = "beyond-knowledge"
    """Something is in force whose meaning is not known."""


class Redirect(StrEnum):
    """Which proxy the traffic goes through."""

    HTTP = "http"
    DNS = "dns"
    TLS = "tls"
    KAFKA = "kafka"
    LISTENER = "crd"
    PROXYLIB = "l7proto"


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of one rule that did not match. ``origin`` points at the clause in the manifest."""

    origin: Origin


@dataclass(frozen=True, slots=True)
class PeerLabelDiffers(Clause):
    """A peer selector wants a label that the other end lacks or has with another value.

    ``had`` is the other end's identity label of that key. ``implied`` says that nobody wrote the clause and why it
    holds nevertheless. ``dropped`` is the value on the Kubernetes object when the label exists there but is not part
    of identities.
    """

    key: str
    operator: Operator
    wanted: tuple[str, ...]
    had: Label | None
    implied: Implied | None = None
    dropped: str | None = None
    filtered: bool = False
    """The key is one that Cilium keeps out of identities, so the clause can never be satisfied by a pod."""


@dataclass(frozen=True, slots=True)
class PeerIsNoPod(Clause):
    """A pod selector, and the other end is no pod (a node, a hostNetwork pod, an outside address, another entity)."""

    wanted: str
    entities: tuple[str, ...]
    """The entities that would select the other end."""


@dataclass(frozen=True, slots=True)
class NobodySelected(Clause):
    """The rule selects nobody at all: ``{}`` or an empty list in a Cilium policy."""

    field: str
    """The empty field, or nothing when the whole rule is empty."""


@dataclass(frozen=True, slots=True)
class EntityDiffers(Clause):
    """The entity is not what the other end is."""

    entity: str
    had: tuple[str, ...]
    """The entities that would select the other end."""


@dataclass(frozen=True, slots=True)
class CidrMisses(Clause):
    """The prefix does not contain the address."""

    cidr: str
    address: str


@dataclass(frozen=True, slots=True)
class CidrExcepts(Clause):
    """The prefix contains the address, and an ``except`` carves it out."""

    cidr: str
    excepted: str
    address: str


@dataclass(frozen=True, slots=True)
class CidrSparesCluster(Clause):
    """A CIDR never selects pods, nor nodes without ``policy-cidr-match-mode: nodes``, whatever their address."""

    cidr: str
    address: str
    entities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CidrGroupMisses(Clause):
    """No prefix of the CIDR groups that the rule refers to contains the address, or no such group exists."""

    wanted: str
    address: str


@dataclass(frozen=True, slots=True)
class FqdnNotListed(Clause):
    """The DNS names of the address are known, and the rule lists another name."""

    wanted: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FqdnNotLearnt(Clause):
    """No DNS answer that passed the agent's proxy gave this address for the name that the rule lists."""

    wanted: str
    address: str
    learnt: tuple[str, ...] = ()
    """The addresses that are known for the name."""


@dataclass(frozen=True, slots=True)
class FqdnSparesCluster(Clause):
    """DNS rules select outside addresses only, not pods or nodes."""

    wanted: str


@dataclass(frozen=True, slots=True)
class ServiceMisses(Clause):
    """``toServices`` names a Service that does not exist, or one that does not stand for the other end."""

    service: str
    found: bool


@dataclass(frozen=True, slots=True)
class PortDiffers(Clause):
    """The protocol is right and the port is not; policy sees the port at the pod, after Service translation."""

    allowed: tuple[str, ...]
    asked: str


@dataclass(frozen=True, slots=True)
class ProtocolDiffers(Clause):
    """The rule is about another protocol."""

    allowed: tuple[str, ...]
    asked: str


@dataclass(frozen=True, slots=True)
class IcmpNeedsRule(Clause):
    """Port rules never cover ICMP: it needs ``icmps``, or a rule without ports."""

    allowed: tuple[str, ...]
    asked: str


@dataclass(frozen=True, slots=True)
class NothingAllowed(Clause):
    """The subject is isolated in this direction, and no rule allows anything; ``origin`` is a rule that isolates it."""


class NamedPortFault(StrEnum):
    """Why a port name stands for no number."""

    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"
    OTHER_PROTOCOL = "other-protocol"


@dataclass(frozen=True, slots=True)
class NamedPortUnresolved(Clause):
    """A port name that stands for no number here, so that the entry opens nothing.

    Ingress looks at the pod's own container ports, egress at those of all pods (pkg/endpoint/policy.go:51-89).
    """

    name: str
    fault: NamedPortFault


@dataclass(frozen=True, slots=True)
class NoPortListed(Clause):
    """``toPorts`` has an entry with an empty port list: no port at all."""


@dataclass(frozen=True, slots=True)
class HttpDiffers(Clause):
    """A field of an HTTP rule does not match the request."""

    field: str
    wanted: str
    had: str


@dataclass(frozen=True, slots=True)
class DnsNameDiffers(Clause):
    """A DNS rule allows other names."""

    wanted: str
    asked: str


@dataclass(frozen=True, slots=True)
class RuleEffect:
    """What one rule that selects the subject did with this flow.

    ``matched`` rules had their effect. Of the others, ``failed`` holds the clauses that would have to hold for the
    rule to match (the closest alternative of peers and ports), the first being the one to name.
    """

    rule: Origin
    effect: Effect
    matched: bool
    failed: tuple[Clause, ...] = ()
    certain: bool = True
    """False when a fact that was not read could turn it."""


@dataclass(frozen=True, slots=True)
class NearestMiss:
    """The allow rule that came closest, and the clauses it failed on; with exactly one, repairing it opens the flow."""

    rule: Origin
    clauses: tuple[Clause, ...]

    @property
    def clause(self) -> Clause:
        """The clause to name first."""
        return self.clauses[0]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two rules for one peer and port that the agent cannot merge."""

    what: str
    rules: tuple[Origin, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome for one direction of one flow, with its explanation.

    ``rules`` are the rules that decided; ``also_rules`` would have had the same effect or were overruled.
    ``entry_policies`` are the policies that Cilium's own bookkeeping attributes the verdict to: what Hubble shows as
    ``*_allowed_by`` and ``*_denied_by``. ``http_rules`` and ``dns_rules`` are what the proxy lets pass when no
    request was named; ``l7_open`` means everything.
    """

    direction: Direction
    verdict: Verdict
    reason: Reason
    subject: Party
    peer: Party
    traffic: Traffic
    enforced: bool = False
    default_deny: bool = False
    rules: tuple[Origin, ...] = ()
    also_rules: tuple[Origin, ...] = ()
    entry_policies: tuple[PolicyRef, ...] = ()
    selected_by: tuple[PolicyRef, ...] = ()
    default_deny_by: tuple[Origin, ...] = ()
    effects: tuple[RuleEffect, ...] = ()
    nearest_miss: NearestMiss | None = None
    redirect: Redirect | None = None
    l7: Verdict | None = None
    l7_open: bool = False
    http_rules: tuple[HttpRule, ...] = ()
    dns_rules: tuple[DnsRule, ...] = ()
    authentication: Authentication | None = None
    audited: bool = False
    """Audit mode is on: what policy denies at L3 and L4 passes all the same, and is reported."""
    conflict: Conflict | None = None
    missing: tuple[MissingFact, ...] = ()
    beyond: tuple[str, ...] = ()
    """What is in force there and could matter, and has a meaning that is not known."""

    @property
    def passes(self) -> bool:
        """Whether this side lets the flow through by policy (an unknown or an error does not count as passing)."""
        return self.verdict in (Verdict.ALLOWED, Verdict.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class BothSides:
    """Egress at the source and ingress at the destination; a flow needs both (handlers/policy/combine.py)."""

    verdict: Verdict
    egress: Decision
    ingress: Decision
    loops_back: bool = False
    """An endpoint talks to itself: through a Service that never meets policy, whatever the verdict."""

    def __iter__(self) -> Iterator[Decision]:
        """Go through the sides in the order in which a packet meets them."""
        return iter((self.egress, self.ingress))

    @property
    def blocking(self) -> tuple[Decision, ...]:
        """The sides that deny."""
        return tuple(side for side in self if side.verdict in (Verdict.DENIED, Verdict.DENIED_L7))

    @property
    def is_audited(self) -> bool:
        """Whether nothing but sides that audit instead of enforcing keep the flow from being allowed."""
        passing = (Verdict.ALLOWED, Verdict.NOT_APPLICABLE)
        return self.verdict is Verdict.DENIED and all(side.audited for side in self if side.verdict not in passing)


@dataclass(frozen=True, slots=True)
class PolicySummary:
    """What one policy does to an endpoint in one direction, in typed fields and one line of text."""

    policy: PolicyRef
    direction: Direction
    default_deny: bool
    allows: tuple[str, ...]
    denies: tuple[str, ...]
    rules: tuple[Origin, ...]
    text: str
