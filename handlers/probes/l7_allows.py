"""Where the proxy reads the requests, a rule lets this request pass.

An L7 refusal is no packet drop: the connection opens, and the proxy answers 403 (or the like). Without a request in the
question only the list of what passes can be given.
"""

from collections.abc import Iterator

from handlers.connection.judgement import Judged
from handlers.connection.policies import POLICY_OPTIONAL_PARTS, POLICY_PARTS
from handlers.connection.policy_findings import distinct, evidence_of
from handlers.connection.trial import Trial
from handlers.model.decision import Decision, Redirect, Verdict
from handlers.model.facts import Facts, needed
from handlers.model.finding import Finding, Hop, Outcome, code
from handlers.model.parts import Part
from handlers.model.question import AboutConnection
from handlers.model.rule import Direction
from handlers.names.resolve import OPTIONAL_PARTS, PARTS
from handlers.probes.probe import probe

L7_REFUSES = code(
    "L7_REFUSES",
    meaning="The connection is redirected to the proxy, and no L7 rule lets the request pass: the client gets 403.",
    template="The proxy refuses {request} on {port}: only {rules} passes",
    advice="Add a rule for this method and path next to the others.",
)
L7_PASSES = code(
    "L7_PASSES",
    meaning="An L7 rule lets the request pass.",
    template="The proxy lets {request} pass on {port}",
)
L7_RULES_APPLY = code(
    "L7_RULES_APPLY",
    meaning="The proxy reads the requests on this port and lets only some pass; the question named none.",
    template="The proxy reads requests on {port} and lets only {rules} pass",
    advice="Ask with http METHOD PATH to judge one request.",
)


@probe(
    answers=(AboutConnection,),
    codes=(L7_REFUSES, L7_PASSES, L7_RULES_APPLY),
    needs=(*PARTS, *POLICY_PARTS),
    uses=(*OPTIONAL_PARTS, *POLICY_OPTIONAL_PARTS, Part.ENDPOINT_SLICES),
    hop=Hop.L7,
    blocking=True,
)
def l7_allows(question: AboutConnection, facts: Facts) -> Iterator[Finding]:
    """Judge the request on each side that redirects it."""
    legs = needed(Trial(question.connection, facts).judgements)
    found = [_judge(leg, side, facts) for leg in legs for side in leg.sides]
    yield from distinct(finding for finding in found if finding)


def _judge(leg: Judged, side: Decision, facts: Facts) -> Finding | None:
    if side.redirect is not Redirect.HTTP:
        return None
    request = leg.traffic.http
    rules = tuple(str(rule) for rule in side.http_rules)
    where = "leaving" if side.direction is Direction.EGRESS else "arriving"
    evidence = evidence_of(side, facts)
    if side.verdict is Verdict.DENIED_L7 and request:
        return L7_REFUSES.finding(
            Outcome.PROBLEM,
            hop=Hop.L7,
            blocking=True,
            evidence=evidence,
            request=f"{request.method} {request.path}",
            port=f"{leg.traffic.port}/{leg.traffic.protocol}",
            rules=rules,
        )
    if side.verdict is not Verdict.ALLOWED or side.l7_open:
        return None
    if request:
        return L7_PASSES.finding(
            Outcome.FINE,
            hop=Hop.L7,
            blocking=True,
            evidence=evidence,
            request=f"{request.method} {request.path}",
            port=f"{leg.traffic.port}/{leg.traffic.protocol}",
        )
    return L7_RULES_APPLY.finding(
        Outcome.NOT_APPLICABLE,
        hop=Hop.L7,
        evidence=evidence,
        assumptions=(f"the rule is on packets {where}",),
        advice=L7_RULES_APPLY.advice,
        port=f"{leg.traffic.port}/{leg.traffic.protocol}",
        rules=rules,
    )
