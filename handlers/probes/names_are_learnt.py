"""The agent learns the addresses of the names that policies of the endpoint allow.

``toFQDNs`` rules open addresses that the agent saw in DNS answers, and it sees those alone that pass its proxy: a DNS
rule sends them there. What it learnt outlives the answer's time to live while connections use it.
"""

from collections.abc import Iterable, Iterator

from handlers.connection.coverage import nodes_in_words
from handlers.connection.dns import dns_pods
from handlers.connection.judgement import learns_names
from handlers.connection.legs import LEG_PARTS, Leg, places_of
from handlers.connection.parties import parties_of
from handlers.connection.places import Place, PlaceKind
from handlers.connection.policies import POLICY_OPTIONAL_PARTS, POLICY_PARTS, policies_of
from handlers.lookups.seen import DNS_PORT
from handlers.model.agent import LearntName
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.parts import Part
from handlers.model.question import AboutLookup
from handlers.model.rule import Direction, Effect, Origin, PeerKind
from handlers.model.snapshot import Known
from handlers.model.traffic import Protocol
from handlers.names.resolve import OPTIONAL_PARTS, PARTS, End, resolve
from handlers.policy.fqdn import name_matches
from handlers.policy.versions import DOUBLE_STAR
from handlers.probes.probe import probe

DNS_IS_PROXIED = code(
    "DNS_IS_PROXIED",
    meaning="Whether the endpoint's look-ups pass the agent's DNS proxy, where names are seen, judged and learnt.",
    template="Look-ups of {pod} {way} the agent's DNS proxy",
)
NAMES_NEVER_LEARNT = code(
    "NAMES_NEVER_LEARNT",
    meaning="A toFQDNs rule allows names, and look-ups pass no proxy, so the agent never learns their addresses.",
    template="{policies} {count:allows|allow} names ({names}) to {pod}, and its look-ups pass no DNS proxy: the agent "
    "never learns their addresses",
    advice="Add an egress rule to kube-dns on port 53 with rules.dns that covers the names.",
)
NAMES_LEARNT = code(
    "NAMES_LEARNT",
    meaning="Addresses that the agent has learnt for a name that policy allows.",
    template="The agent of {node} knows {name} as {addresses}",
)
NAMES_NOT_LEARNT_YET = code(
    "NAMES_NOT_LEARNT_YET",
    meaning="The agent has no address for a name that policy allows: nobody on its node has looked it up lately.",
    template="The agent of {node} has no address for {names}, which policy of {pod} allows: nobody there asked lately",
)
_SHOWN = 4


@probe(
    answers=(AboutLookup,),
    codes=(DNS_IS_PROXIED, NAMES_NEVER_LEARNT, NAMES_LEARNT, NAMES_NOT_LEARNT_YET),
    needs=(*PARTS, *POLICY_PARTS),
    uses=(*OPTIONAL_PARTS, *LEG_PARTS, *POLICY_OPTIONAL_PARTS),
    hop=Hop.DNS,
)
def names_are_learnt(question: AboutLookup, facts: Facts) -> Iterator[Finding]:
    """Hold the names that policies allow against what the agent has learnt, once for pods that are alike."""
    source = resolve(question.source, facts, End.SOURCE, None, None)
    if source.obstacle or not dns_pods(facts):
        return
    places = [place for place in places_of(source, facts) if place.kind is PlaceKind.POD]
    for place in places[:1]:
        yield from _judge(place, question.name, facts)


def _judge(place: Place, asked: str, facts: Facts) -> Iterator[Finding]:
    leg = Leg(place, place, Protocol.UDP, DNS_PORT)
    party = next(iter(parties_of(leg, at_source=True, learns_names=False, facts=facts)), None)
    if party is None:
        return
    pod, is_proxied = place.title.removeprefix("pod "), learns_names(party.party, facts)
    yield DNS_IS_PROXIED.finding(Outcome.FINE, hop=Hop.DNS, pod=pod, way="pass" if is_proxied else "do not pass")
    wanted: dict[str, Origin] = {}
    for rule in policies_of(facts).rules_selecting(party.party, Direction.EGRESS):
        for peer in rule.peers if rule.effect is Effect.ALLOW else ():
            if peer.kind is PeerKind.FQDN:
                wanted.setdefault(peer.written, Origin(rule.origin.policy, peer.pointer))
    if asked:
        double_star = policies_of(facts).config.holds(DOUBLE_STAR)
        wanted = {
            name: origin
            for name, origin in wanted.items()
            if name == asked or ("*" in name and name_matches(asked, "", name, double_star=double_star))
        }
    if wanted and not is_proxied:
        yield _never(pod, wanted)
    elif wanted:
        yield from _learnt(place, pod, {asked} if asked else set(wanted), facts)


def _never(pod: str, wanted: dict[str, Origin]) -> Finding:
    policies = tuple(dict.fromkeys(f"{one.policy.kind} {one.policy.short}" for one in wanted.values()))
    return NAMES_NEVER_LEARNT.finding(
        Outcome.PROBLEM,
        hop=Hop.DNS,
        evidence=[Evidence("kubernetes", str(one.policy), one.pointer) for one in list(wanted.values())[:_SHOWN]],
        weight=55,
        policies=policies,
        count=len(policies),
        names=nodes_in_words(wanted),
        pod=pod,
    )


def _learnt(place: Place, pod: str, wanted: Iterable[str], facts: Facts) -> Iterator[Finding]:
    look = facts.look(Part.AGENT_NAMES)
    answer = look.value.on(place.node) if isinstance(look, Known) else look
    if not isinstance(answer, Known):
        return
    cache: tuple[LearntName, ...] = answer.value
    known = {
        name: sorted({ip for entry in cache if entry.name.rstrip(".").lower() == name for ip in entry.ips})
        for name in wanted
        if "*" not in name
    }
    for name, ips in [(name, ips) for name, ips in sorted(known.items()) if ips][:_SHOWN]:
        yield NAMES_LEARNT.finding(
            Outcome.FINE,
            hop=Hop.DNS,
            evidence=[Evidence("agent", f"Node//{place.node}", excerpt="fqdn cache list")],
            node=place.node,
            name=name,
            addresses=nodes_in_words(ips),
        )
    if lacking := [name for name, ips in known.items() if not ips]:
        yield NAMES_NOT_LEARNT_YET.finding(
            Outcome.NOT_APPLICABLE, hop=Hop.DNS, node=place.node, names=nodes_in_words(lacking), pod=pod
        )
