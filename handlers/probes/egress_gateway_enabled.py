"""Where a policy takes the traffic out through a gateway, the egress gateway is on and has what it needs.

Policies for egress gateways are taken by the API server whether or not Cilium looks at them; while the feature is off
the traffic leaves from its own node, with that node's address.
"""

from collections.abc import Iterator

from handlers.connection.outbound import OUTBOUND_PARTS, outbound_of
from handlers.connection.trial import Trial
from handlers.egress.feature import SWITCHES
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Hop, Outcome, code
from handlers.model.question import AboutConnection
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.probes.probe import probe

EGRESS_GATEWAY_OFF = code(
    "EGRESS_GATEWAY_OFF",
    meaning="An egress gateway policy selects the pod and the destination, but the feature is off in Cilium.",
    template="{policy} would take {source} out through a gateway, but the egress gateway is off ({switch} is not "
    "true): the other side sees {address}",
    reason="the egress gateway is off, so that {name} does nothing",
    advice="Turn the egress gateway on (Helm: egressGateway.enabled) with BPF masquerading and kube-proxy replacement.",
)
EGRESS_GATEWAY_NEEDS = code(
    "EGRESS_GATEWAY_NEEDS",
    meaning="The egress gateway is on, but an option that it needs is not: agents may refuse to start with that.",
    template="The egress gateway is on and {policy} uses it, but it needs {needs}",
    advice="Set the options; an agent that starts without BPF masquerading stops with an error.",
)
_CONFIG = Evidence("kubernetes", "ConfigMap/kube-system/cilium-config", "/data")


@probe(
    answers=(AboutConnection,),
    codes=(EGRESS_GATEWAY_OFF, EGRESS_GATEWAY_NEEDS),
    needs=PARTS,
    uses=(*OPTIONAL_PARTS, *OUTBOUND_PARTS),
    hop=Hop.EGRESS_GATEWAY,
)
def egress_gateway_enabled(question: AboutConnection, facts: Facts) -> Iterator[Finding]:
    """Say it once for each policy that would decide."""
    said: set[str] = set()
    for outbound in outbound_of(Trial(question.connection, facts)):
        for entry in outbound.choice.taken:
            feature, policy = outbound.feature, entry.policy
            if feature is None or policy.ref in said:
                continue
            said.add(policy.ref)
            if not feature.is_on:
                yield EGRESS_GATEWAY_OFF.finding(
                    Outcome.PROBLEM,
                    hop=Hop.EGRESS_GATEWAY,
                    evidence=[_CONFIG, Evidence("kubernetes", policy.ref)],
                    follow_up="health",
                    policy=policy.ref,
                    name=policy.name,
                    source=outbound.source.title,
                    switch=SWITCHES[0],
                    address=outbound.address_at_home,
                )
            elif feature.needs:
                yield EGRESS_GATEWAY_NEEDS.finding(
                    Outcome.PROBLEM,
                    hop=Hop.EGRESS_GATEWAY,
                    evidence=[_CONFIG],
                    follow_up="health",
                    policy=policy.ref,
                    needs=feature.needs,
                )
