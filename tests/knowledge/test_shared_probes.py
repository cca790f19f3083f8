"""A question says by its type what it is about, and gets every probe that judges such a thing."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from handlers.catalogue import CATALOGUE, Catalogue, understand
from handlers.commands.command import Command
from handlers.commands.why import COMMAND as WHY
from handlers.connection.scope import connection_scope
from handlers.engine import answer
from handlers.model.endpoint import Kind, Named
from handlers.model.facts import Facts
from handlers.model.question import AboutConnection, AboutNodes, AboutService
from handlers.model.scope import Scope
from tests.knowledge.build import Cluster, deny_all, shop

QUESTION = "why shop/frontend shop/cart 80"
A, B = "shop/frontend-1", "shop/cart-1"


@dataclass(frozen=True, slots=True)
class Rehearsal(AboutConnection):
    """A question that no command asks: would the connection work tonight?"""

    def __str__(self) -> str:
        return f"rehearsal {self.connection}"

    def scope(self, so_far: Facts) -> Scope:
        return connection_scope(self.connection, timedelta(minutes=15), so_far)


REHEARSAL = Command(
    "rehearsal", "rehearsal A B", "Would it work tonight?", (), Rehearsal, parse=WHY.parse, conclude=WHY.conclude
)
WITH_REHEARSAL = Catalogue.of([*CATALOGUE.commands.values(), REHEARSAL], CATALOGUE.probes)


def rehearsal() -> Rehearsal:
    return Rehearsal(understand(QUESTION).question.connection)


CLUSTERS = {
    "nothing in the way": lambda: shop().worked(A, B, 8080),
    "a default deny": lambda: shop().policy(deny_all("shop", "cart")).dropped(A, B, 8080),
    "nobody listens": lambda: shop().sent(A, B, 8080).refused(A, B, 8080),
    "both sides deny": lambda: (
        shop().policy(deny_all("shop", "cart")).policy(deny_all("shop", "frontend", egress=True, name="no-egress"))
    ),
}


@pytest.mark.parametrize("story", CLUSTERS)
def test_a_new_question_about_a_connection_finds_what_why_finds(story: str) -> None:
    cluster: Cluster = CLUSTERS[story]()
    report = answer(rehearsal(), cluster.snapshot(QUESTION), WITH_REHEARSAL)
    why = cluster.ask(QUESTION)
    assert (report.command, why.command) == ("rehearsal", "why")
    assert report.findings == why.findings
    assert report.blockers() == why.blockers()
    assert len(report.findings) > 5


def test_a_new_question_about_a_connection_reads_what_why_reads() -> None:
    assert WITH_REHEARSAL.wanted(rehearsal()) == CATALOGUE.wanted(understand(QUESTION).question)


def test_a_new_question_about_nodes_gets_the_probes_of_health() -> None:
    @dataclass(frozen=True, slots=True)
    class Drain(AboutNodes):
        """May the node be drained?"""

    assert CATALOGUE.probes_for(Drain("n1")) == CATALOGUE.probes_for(understand("health n1").question)
    of_connections = {probe.name for probe in CATALOGUE.probes_for(rehearsal())}
    assert of_connections.isdisjoint(probe.name for probe in CATALOGUE.probes_for(Drain("n1")))


@dataclass(frozen=True, slots=True)
class Backends(AboutService):
    """A question about a Service alone: who is behind it?"""


SERVICES = {
    "every port has a backend": ("cart", None, {"NAME_RESOLVED", "SERVICE_HAS_BACKENDS"}),
    "a port that it does not have": ("cart", 81, {"NAME_RESOLVED", "SERVICE_PORT_NOT_FOUND"}),
    "a name that means nothing": ("carts", None, {"NAME_NOT_FOUND"}),
}


@pytest.mark.parametrize("story", SERVICES)
def test_a_new_question_about_a_service_is_judged_without_a_client(story: str) -> None:
    name, port, expected = SERVICES[story]
    question = Backends(Named("shop", name, Kind.SERVICE), port)
    facts = Facts(shop().snapshot(QUESTION))
    probes = CATALOGUE.probes_for(question)
    assert {"names_resolve", "service_has_backends"} < {probe.name for probe in probes}
    mine = [probe for probe in probes if probe.name in ("names_resolve", "service_has_backends")]
    found = [finding for probe in mine for finding in probe.check(question, facts.narrowed(probe.parts))]
    assert {finding.code for finding in found} == expected
