"""What a tired person reads: the status first, then what stops the traffic, then how sure that is."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.render.evidence import evidence_text
from bot.render.gaps import not_read
from bot.render.patches import patches_message
from bot.render.reading import hop_strip, status_of
from bot.render.report import report_message
from bot.render.text import markdown, plain
from handlers.model.finding import Hop, Outcome, Sentence
from handlers.model.headline import Headline, Pair
from handlers.model.report import Expected, GapNote, Observed, Report
from tests.bot import samples
from tests.bot.samples import DENY_DIFF, finding, report

SGR = re.compile("\x1b\\[[0-9;]*m")

SAYS = {
    (Expected.OPEN, Observed.FORWARDED): ("Open", "traffic passes"),
    (Expected.OPEN, Observed.DROPPED): ("Open, yet dropped", "traffic is dropped"),
    (Expected.OPEN, Observed.AUDITED): ("Open, yet audited as denied", "policy audit mode"),
    (Expected.OPEN, Observed.NOTHING): ("Open", "no attempt"),
    (Expected.OPEN, Observed.NO_DATA): ("Open", "flows could not be read"),
    (Expected.BLOCKED, Observed.FORWARDED): ("Blocked at egress, yet passing", "traffic passes"),
    (Expected.BLOCKED, Observed.DROPPED): ("Blocked at egress", "traffic is dropped"),
    (Expected.BLOCKED, Observed.AUDITED): ("Blocked at egress, yet passing in audit mode", "policy audit mode"),
    (Expected.BLOCKED, Observed.NOTHING): ("Blocked at egress", "no attempt"),
    (Expected.BLOCKED, Observed.NO_DATA): ("Blocked at egress", "flows could not be read"),
    (Expected.UNKNOWN, Observed.FORWARDED): ("Cannot tell", "traffic passes"),
    (Expected.UNKNOWN, Observed.DROPPED): ("Cannot tell", "traffic is dropped"),
    (Expected.UNKNOWN, Observed.AUDITED): ("Cannot tell", "policy audit mode"),
    (Expected.UNKNOWN, Observed.NOTHING): ("Cannot tell", "no attempt"),
    (Expected.UNKNOWN, Observed.NO_DATA): ("Cannot tell", "flows could not be read"),
}


def words(shown: Report, **others: Any) -> str:
    """Everything that the blocks say, in order."""
    return "\n".join(texts(report_message(shown, **others).blocks))


def texts(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["text"]] if isinstance(part.get("text"), str) else []
        return own + [text for item in part.values() if not isinstance(item, str) for text in texts(item)]
    return [text for item in part for text in texts(item)] if isinstance(part, list | tuple) else []


def buttons(shown: Report, **others: Any) -> dict[str, str]:
    """Label and value of every button."""
    found = {}
    for block in report_message(shown, **others).blocks:
        for element in [*block.get("elements", []), *([block["accessory"]] if "accessory" in block else [])]:
            if element["type"] == "button":
                found[element["text"]["text"]] = element["value"]
    return found


def test_the_table_of_sayings_is_complete() -> None:
    assert set(SAYS) == {(expected, observed) for expected in Expected for observed in Observed}


@pytest.mark.parametrize(
    ("expected", "observed"), SAYS, ids=[f"{expected} by judgement, {observed} by flows" for expected, observed in SAYS]
)
def test_the_first_words_are_the_status_and_flows_are_said_apart(expected: Expected, observed: Observed) -> None:
    status, seen = SAYS[(expected, observed)]
    shown = samples.in_state(expected, observed)
    first = status.partition(" at ")[0].partition(",")[0]
    assert plain(shown).startswith(f"{first.upper()}{status.removeprefix(first)}: shop/a → shop/b\n")
    assert f" *{status}:* `shop/a` → `shop/b`" in words(shown).split("\n", maxsplit=1)[0]
    assert f"*Seen:* {seen}" in words(shown)
    assert f"seen      {seen}" in plain(shown)


def test_passing_packets_contradict_policy_alone() -> None:
    shown = report(finding("no backend", Outcome.PROBLEM, Hop.SERVICE), observed=Observed.FORWARDED)
    assert str(status_of(shown)) == "Blocked at service"


REFUSALS = {"Refused": "it answers with a reset", "No answer": "no policy is in the way"}


@pytest.mark.parametrize("status", REFUSALS)
def test_what_the_application_does_has_words_of_its_own(status: str) -> None:
    silent = finding(REFUSALS[status], Outcome.PROBLEM, Hop.APPLICATION)
    headline = Headline(Sentence("x"), status=status, pair=Pair("shop/a", "shop/b", "80/TCP"), reason=silent.because)
    shown = report(silent, headline=headline, observed=Observed.FORWARDED)
    assert shown.expected is Expected.OPEN
    assert plain(shown).startswith(f"{status.upper()}: shop/a → shop/b 80/TCP\n  why       {REFUSALS[status]}\n")
    assert words(shown).startswith(f"⛔ *{status}:* `shop/a` → `shop/b` 80/TCP\n*Why:* {REFUSALS[status]}")


def test_no_two_states_start_alike_but_for_what_was_seen() -> None:
    signs = {state: report_message(samples.in_state(*state)).blocks[0]["text"]["text"][0] for state in SAYS}
    assert {signs[state] for state in SAYS if state[0] is Expected.OPEN and "yet" not in SAYS[state][0]} == {"✅"}
    assert {signs[state] for state in SAYS if state[0] is Expected.BLOCKED and "yet" not in SAYS[state][0]} == {"⛔"}
    assert {signs[state] for state in SAYS if state[0] is Expected.UNKNOWN} == {"❓"}
    assert {signs[state] for state in SAYS if "yet" in SAYS[state][0]} == {"⚠"}


STRIPS = {
    "a fine hop passes": ((Outcome.FINE, True), "✓"),
    "a blocking problem fails": ((Outcome.PROBLEM, True), "✗"),
    "a problem that does not block warns": ((Outcome.PROBLEM, False), "!"),
    "a blocking check that could not be made is unknown": ((Outcome.UNKNOWN, True), "?"),
    "a blocking check that broke is unknown": ((Outcome.BROKEN, True), "?"),
    "any other check that could not be made is unknown": ((Outcome.UNKNOWN, False), "?"),
}


@pytest.mark.parametrize("story", STRIPS)
def test_the_mark_of_a_hop(story: str) -> None:
    (outcome, blocking), mark = STRIPS[story]
    other, fine = finding("x", outcome, Hop.DNS, blocking=blocking), finding("y", Outcome.FINE, Hop.DNS)
    shown = report(finding("z", Outcome.FINE, Hop.RESOLVE), other, fine)
    assert hop_strip(shown) == (("resolve", "✓"), ("dns", mark))


def test_the_strip_has_only_hops_that_were_judged_along_the_path() -> None:
    strip = hop_strip(samples.blocked_on_both_sides())
    assert [name for name, _ in strip] == ["resolve", "identity", "service", "egress", "agents", "ingress"]


def test_the_answer_is_why_seen_and_fix_before_anything_else() -> None:
    blocks = report_message(samples.blocked_on_both_sides(), report_id="r1", asked_by="U0ADA").blocks
    assert [block["type"] for block in blocks] == ["section", "section", "actions", "context"]
    assert blocks[0]["text"]["text"] == "⛔ *Blocked at egress:* `shop/loadgen` → `payments/checkout-api` 443/TCP"
    labels = [line.partition(":*")[0] for line in blocks[1]["text"]["text"].splitlines()]
    assert labels == ["*Why", "*Also at ingress", "*Seen", "*Fix"]


def test_pods_pointers_and_the_patch_are_behind_buttons() -> None:
    shown = words(samples.blocked_on_both_sides(), report_id="r1")
    for hidden in ("7d654f56fb", "/spec", "```", "Proven:", "the Service was taken"):
        assert hidden not in shown


def test_the_reason_is_said_in_place_of_the_finding() -> None:
    blocker = finding("{a} is denied", Outcome.PROBLEM, Hop.EGRESS_POLICY, values={"a": "x"})
    other = replace(blocker, sentence=Sentence("y is denied"), reason=Sentence("{a} wants z", {"a": "y"}))
    shown = report(blocker, other, headline=Headline(Sentence("x"), reason=Sentence("short"), others=1))
    assert "*Why:* short\n*Also at egress:* `y` wants z" in words(shown)


def test_blockers_beyond_the_third_are_counted() -> None:
    many = [finding(f"blocker {number}", Outcome.PROBLEM, Hop.EGRESS_POLICY) for number in range(20)]
    shown = words(report(*many))
    assert "*Also at egress:* blocker 2\n*Also:* 17 more blockers, see Evidence" in shown
    assert plain(report(*many)).count("[egress] blocker") == 20


def test_what_was_not_read_is_said_with_what_it_leaves_open_and_how_to_get_it() -> None:
    shown = words(samples.cannot_tell())
    assert (
        "*Not read:* policies (forbidden: list ciliumnetworkpolicies). Without them ingress cannot be judged" in shown
    )
    assert "*Do:* grant the verb list" in shown
    assert shown.count("ciliumnetworkpolicies") == 1


def test_what_the_headline_tells_keeps_its_remedy_beside_the_rows_of_others() -> None:
    worst = finding("kube-proxy runs", Outcome.PROBLEM, advice="Delete it.")
    other = finding("a map is full", Outcome.PROBLEM, advice="Raise it.")
    headline = Headline(Sentence("1 problem"), reason=worst.sentence, remedy=worst.advice)
    shown = words(report(worst, other, headline=headline, expected=None))
    assert "✗ kube-proxy runs" not in shown
    assert "*Do:* Delete it." in shown
    assert "✗ a map is full → Raise it." in shown


def test_a_gap_is_said_once_whatever_it_leaves_open() -> None:
    gap = GapNote("policies", None, "timeout", "no answer in 10 s", "ask again")
    told = "Cannot tell whether {claim} — {part} could not be read"
    doubts = [
        finding(told, Outcome.UNKNOWN, hop, values={"claim": hop.value, "part": "policies"}, blocking=blocking)
        for hop, blocking in ((Hop.DNS, True), (Hop.EGRESS_POLICY, True), (Hop.AGENTS, False))
    ]
    shown = report(*doubts, gaps=(gap,), headline=Headline(Sentence("x"), pair=Pair("a", "b")))
    for said in (plain(shown), words(shown)):
        assert said.count("policies") == 1
        assert "(timeout: no answer in 10 s). Without them dns, egress cannot be judged" in " ".join(said.split())


def test_five_hundred_nodes_that_fail_alike_are_one_line() -> None:
    gaps = tuple(
        GapNote(part, f"node-{number}", "forbidden", "exec was refused", "grant pods/exec")
        for number in range(500)
        for part in ("agent status", "agent endpoints")
    )
    doubt = finding("whether", Outcome.UNKNOWN, Hop.AGENTS, values={"part": "agent status"})
    (line,) = not_read(report(doubt, gaps=gaps))
    assert str(line) == (
        "agent status, agent endpoints of 500 nodes (forbidden: exec was refused). Without them agents cannot be judged"
    )


def test_advice_that_many_lines_share_is_given_once() -> None:
    rows = [finding(f"drop {number}", Outcome.PROBLEM, advice="Ask why.") for number in range(3)]
    shown = report(*rows, expected=None, observed=None)
    assert words(shown).count("Ask why.") == 1
    assert plain(shown).count("Ask why.") == 1


def test_many_rows_that_differ_in_a_name_alone_are_one() -> None:
    nodes = [finding("the agent of {node} was not read", Outcome.UNKNOWN, values={"node": f"n{n}"}) for n in range(500)]
    shown = words(report(finding("policies are valid"), *nodes, expected=None, observed=None))
    assert "? the agent of `n0` was not read (and 499 more like it)\n✓ policies are valid" in shown
    assert shown.count("was not read") == 1


def test_a_list_without_a_problem_starts_with_its_headline() -> None:
    shown = report(finding("x"), headline=Headline(Sentence("2 policies")), expected=None, observed=None)
    assert words(shown).startswith("✅ 2 policies\n")
    assert plain(shown).startswith("2 policies\n")


def test_a_patch_is_a_message_of_its_own_with_what_else_it_opens() -> None:
    shown = "\n".join(texts(patches_message(samples.blocked_on_both_sides()).blocks))
    assert "changes `CiliumNetworkPolicy payments/checkout-ingress`\n```\n--- CiliumNetworkPolicy" in shown
    assert "⚠️ *Also opens:*\n• shop/loadgen-canary → payments/checkout-api 8443/TCP (3 pairs)" in shown
    assert "Proven: the asked flow is allowed on both sides" in shown


OPENS = {
    "nothing else": (True, (), "", "*Opens nothing else.*", "proven; opens only this flow"),
    "some flows": (True, ("x",), "", "⚠️ *Also opens:*", "proven; opens 3 more flows"),
    "nobody knows what": (
        False,
        (),
        "identities could not be read",
        "⚠️ *Not known: identities could not be read.*",
        "proven for this flow; what else it opens is not known",
    ),
    "some flows and who knows what": (
        False,
        ("x",),
        "timeout",
        "⚠️ *Also opens at least (what else is not known: timeout):*",
        "proven for this flow; what else it opens is not known",
    ),
}


@pytest.mark.parametrize("story", OPENS)
def test_a_patch_says_what_else_it_opens(story: str) -> None:
    known, flows, gap, said, briefly = OPENS[story]
    whole = samples.blocked_on_both_sides()
    opened = whole.patches[0].also_opens if flows else ()
    patch = replace(whole.patches[0], also_opens=opened, blast_radius_known=known, blast_radius_gap=gap)
    shown = replace(whole, patches=(patch,))
    assert said in "\n".join(texts(patches_message(shown).blocks))
    assert f"*Fix:* {patch.title} – {briefly}." in words(shown)


def test_the_small_print_says_how_much_was_seen() -> None:
    shown = words(samples.blocked_on_both_sides(), age=timedelta(seconds=45), asked_by="U0ADA")
    for clause in (
        "resolve ✓ identity ✓ service ✓ *egress ✗* agents ✓ *ingress ✗*",
        "<@U0ADA> · cluster lab, 2026-11-20 12:26:29 UTC · cached 45 s ago",
        "flows 12:19:29–12:26:29, 1 of 2 nodes, not heard: lab-node-2",
        "asked back to 12:11:29",
        "120 events lost",
    ):
        assert clause in shown


def test_a_new_answer_has_no_age() -> None:
    assert "cached" not in words(samples.open_and_seen())


def test_the_evidence_says_all_the_rest() -> None:
    said = evidence_text(samples.blocked_on_both_sides())
    for rest in ("the Service was taken", "/spec/egress", "shop/loadgen-7d654f56fb-ddrcg", "no answer in 4 s"):
        assert rest in said


def test_the_buttons_carry_the_report_and_the_question() -> None:
    assert buttons(samples.blocked_on_both_sides(), report_id="r1") == {
        "Show patch": "r1",
        "Evidence": "r1",
        "Ask again": "why shop/loadgen payments/checkout-api 443 fresh",
    }


def test_there_is_no_button_for_what_there_is_not() -> None:
    assert set(buttons(samples.open_and_seen(), report_id="r1")) == {"Evidence", "Ask again"}


def test_without_a_kept_report_only_asking_is_left() -> None:
    assert set(buttons(samples.blocked_on_both_sides())) == {"Ask again"}


def test_candidates_are_buttons_that_ask() -> None:
    questions = ("why shop/svc/cart shop/db", "why shop/deploy/cart shop/db")
    assert set(questions) <= set(buttons(report(candidates=questions)).values())


def test_what_looks_closer_is_offered() -> None:
    shown = report(finding("x", Outcome.PROBLEM, Hop.IDENTITY, follow_up="identity 695"))
    assert buttons(shown)["Identity"] == "identity 695"


def test_a_list_stands_worst_first_and_each_line_opens_its_question() -> None:
    fine, problem = finding("all is well"), finding("this is not", Outcome.PROBLEM, follow_up="why a/b c/d")
    shown = report(fine, problem, command="health", question="health", expected=None, observed=None)
    said = words(shown)
    assert said.index("✗ this is not") < said.index("✓ all is well")
    assert buttons(shown)["Why?"] == "why a/b c/d"
    assert plain(shown).splitlines()[1:3] == ["  ✗ this is not  [why a/b c/d]", "  ✓ all is well"]


LISTS = {
    "a problem": (Outcome.PROBLEM, "Problems"),
    "something that could not be read": (Outcome.UNKNOWN, "Partly unknown"),
    "a broken check": (Outcome.BROKEN, "Partly unknown"),
    "nothing but good news": (Outcome.FINE, ""),
}


@pytest.mark.parametrize("story", LISTS)
def test_the_status_of_a_list_is_that_of_its_worst_finding(story: str) -> None:
    outcome, status = LISTS[story]
    shown = report(finding("x", outcome), finding("y"), expected=None, observed=None)
    assert status_of(shown).word == status


def test_the_text_for_notifications_is_the_answer_in_brief() -> None:
    first, *lines, last = report_message(samples.blocked_on_both_sides()).text.splitlines()
    assert first == "BLOCKED at egress: shop/loadgen → payments/checkout-api 443/TCP"
    assert [line.partition(":")[0] for line in lines] == ["Why", "Also at ingress", "Seen", "Fix"]
    assert last == "cluster lab, 2026-11-20 12:26:29 UTC"


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_terminal_is_wrapped_to_its_width_but_for_what_is_copied(width: int) -> None:
    shown = replace(samples.blocked_on_both_sides(), notes=("a note that is long " * 20,))
    copied = {line.strip() for line in DENY_DIFF.splitlines()}
    for line in plain(shown, width=width, colour=True).splitlines():
        assert len(SGR.sub("", line)) <= width or line.strip() in copied
    assert " ".join(plain(shown, width=width).split()) == " ".join(plain(shown).split())


def test_colours_are_for_terminals_only() -> None:
    assert "\x1b[" not in plain(samples.blocked_on_both_sides())
    assert "\x1b[31;1mBLOCKED\x1b[0m" in plain(samples.blocked_on_both_sides(), colour=True)


def test_markdown_keeps_names_as_they_are_written() -> None:
    shown = replace(samples.open_and_seen(), headline=Headline(Sentence("{a} <b> *c*", {"a": "shop/my_app"})))
    assert markdown(shown).startswith("## Open — shop/my\\_app \\<b\\> \\*c\\*")


def test_a_patch_in_markdown_cannot_end_its_own_fence() -> None:
    whole = samples.blocked_on_both_sides()
    hostile = replace(whole.patches[0], is_new=True, manifest="a: |\n`````\nstill in the patch\n")
    lines = markdown(replace(whole, patches=(hostile,))).splitlines()
    start = lines.index("``````yaml")
    assert lines[start + 1 : start + 5] == ["a: |", "`````", "still in the patch", "``````"]
