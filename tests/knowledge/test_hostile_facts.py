"""Whatever a cluster calls its things, every question is answered, in a message that Slack takes.

Names, labels, messages, log lines and flow fields are made up, as hostile as text can be; the questions come from the
catalogue.
"""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.render.bundle import Bundle, bundle_html
from bot.render.report import report_message
from bot.render.text import markdown, plain
from handlers.catalogue import CATALOGUE
from handlers.model.agent import Controller, EndpointLogEntry, Metric
from handlers.model.event import Event
from handlers.model.finding import Outcome
from handlers.model.log import PodLog
from handlers.model.parts import Part
from handlers.model.report import Report
from tests.knowledge.build import NOW, Cluster, ago, deny_all, shop
from tests.sampling import examples
from tools.playground.limits import block_violations
from workers.sources.assemble.commands import AgentCommand

HOSTILE = (
    "$(reboot)",
    "; rm -rf / #",
    "`id`",
    "--all -o json",
    "../../etc/passwd",
    "<!channel> <@U1> <http://attacker.example|here>",
    "*bold* _it_ ~no~ ```",
    "\x1b]0;owned\x07\x1b[2J",
    "\u202e\u200b\ud800",
    "{0} {count} {}",
    "%s %n",
    "a" * 5000,
    "line\nline\r\n\n",
    "| a | b |",
)
TEXTS = st.sampled_from(HOSTILE) | st.text(max_size=60)
ASKED = {
    "agent": "agent n1",
    "check": "check allow shop/frontend to shop/cart 8080/TCP",
    "dns": "dns shop/frontend",
    "egress": "egress shop/frontend 198.18.10.1",
    "endpoint": "endpoint shop/cart",
    "identity": "identity shop/cart",
    "l7": "l7 shop/frontend shop/cart 8080",
    "policies": "policies shop",
    "reach": "reach shop/cart",
    "service": "service shop/cart",
    "whatif": "whatif label shop/cart-1 app=other",
    "why": "why shop/frontend shop/cart 80",
}


def _cluster(word: str) -> Cluster:
    """Return the usual story with a word wherever a cluster lets somebody write one."""
    cluster = shop().policy(deny_all("shop", "cart")).dropped("shop/frontend-1", "shop/cart-1", 8080)
    cluster.pod("shop/odd", labels={"app": "odd", "note": word}, on="n2").asked("shop/frontend-1", word or "x")
    cluster.dropped("shop/frontend-1", "shop/odd", 80, reason=word or "UNKNOWN")
    cluster.flows = [replace(flow, source=replace(flow.source, labels=(word,))) for flow in cluster.flows]
    cluster.policies = [replace(policy, name=word) for policy in cluster.policies]
    said = {"labels": {word: word}, "taints": (word,), "kernel": word, "kubelet": word}
    cluster.nodes = [replace(node, **said) for node in cluster.nodes]  # type: ignore[arg-type]
    cluster.pods = [replace(pod, waiting=word, phase=pod.phase) for pod in cluster.pods]
    cluster.holding(Part.EVENTS, (Event("shop", "Pod", "odd", word, word, word, word, 2, ago(9), ago(9)),))
    cluster.holding(Part.DNS_LOGS, (PodLog("kube-system", word, word, (word, f"[ERROR] {word}"), word),))
    cluster.config = replace(cluster.config, options={**cluster.config.options, "tunnel-protocol": word, word: word})
    broken = {
        "state": word,
        "health": word,
        "log": (EndpointLogEntry("Failure", word, word, NOW),),
        "failing": (Controller(word, 3, word, NOW),),
    }
    for node in ("n1", "n2"):
        cluster.agent(node, Part.AGENT_ENDPOINTS, cluster.agent_endpoints(node, **broken))
        log = PodLog("kube-system", "cilium-x", "cilium-agent", (word, f"level=error {word}"))
        cluster.agent(node, Part.AGENT_LOG, log)
        cluster.agent(node, Part.AGENT_METRICS, (Metric("cilium_bpf_map_pressure", {"map_name": word}, 0.99),))
    return cluster


def _shown(report: Report) -> list[str]:
    return [plain(report), plain(report, width=40), markdown(report), bundle_html(Bundle((report,), NOW, "x"))]


@pytest.mark.parametrize("command", CATALOGUE.commands)
@settings(max_examples=examples(3), deadline=None)
@given(word=TEXTS)
def test_no_text_of_a_cluster_breaks_an_answer(command: str, word: str) -> None:
    report = _cluster(word).ask(ASKED.get(command, command))
    assert [one.text for one in report.findings if one.outcome is Outcome.BROKEN] == []
    message = report_message(report, report_id="r")
    assert block_violations(list(message.blocks)) == []
    for shown in _shown(report):
        assert not set("\x1b\x07\u202e\ud800") & set(shown)
        shown.encode()


@pytest.mark.parametrize("command", AgentCommand, ids=str)
def test_an_agent_is_asked_in_words_of_ours_alone(command: AgentCommand) -> None:
    assert all(word.replace("-", "").isalnum() for word in command.value)
