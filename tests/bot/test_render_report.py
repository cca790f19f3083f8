"""What a tired person reads: the status first, then what stops the traffic, then how sure that is."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.render.reading import hop_strip, status_of
from bot.render.report import report_message
from bot.render.text import markdown, plain
from handlers.model.finding import Evidence, Hop, Outcome, Sentence
from handlers.model.headline import Headline
from handlers.model.report import Expected, Observed, Report
from tests.bot import samples
from tests.bot.samples import finding, report

SAYS = {
    (Expected.OPEN, Observed.FORWARDED): ("Open", "traffic passes"),
    (Expected.OPEN, Observed.DROPPED): ("Open, yet dropped", "traffic is dropped"),
    (Expected.OPEN, Observed.AUDITED): ("Open, yet audited as denied", "policy audit mode"),
    (Expected.OPEN, Observed.NOTHING): ("Open", "no attempt"),
    (Expected.OPEN, Observed.NO_DATA): ("Open", "flows could not be read"),
    (Expected.BLOCKED, Observed.FORWARDED): ("Blocked, yet passing", "traffic passes"),
    (Expected.BLOCKED, Observed.DROPPED): ("Blocked", "traffic is dropped"),
    (Expected.BLOCKED, Observed.AUDITED): ("Blocked, yet passing in audit mode", "policy audit mode"),
    (Expected.BLOCKED, Observed.NOTHING): ("Blocked", "no attempt"),
    (Expected.BLOCKED, Observed.NO_DATA): ("Blocked", "flows could not be read"),
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
    assert plain(shown).startswith(f"{status.upper()} — ")
    assert f" *{status}* — " in words(shown).split("\n", maxsplit=1)[0]
    assert f"*Seen:* {seen}" in words(shown)
    assert f"seen      {seen}" in plain(shown)


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


def test_the_culprit_comes_with_policy_clause_and_advice() -> None:
    shown = words(samples.blocked_on_both_sides())
    assert "*Stops at egress:* `CiliumNetworkPolicy shop/loadgen-dns-only` `/spec/egress`" in shown
    assert "*Do:* Allow the port in that policy" in shown
    assert "k8s-app: kube-dns" in shown


def test_what_the_headline_says_is_not_said_again() -> None:
    assert words(samples.blocked_on_both_sides()).count("no egress rule of") == 1


def test_of_a_long_finding_only_what_the_headline_lacks_is_said() -> None:
    blocker = finding(
        "{a} is denied",
        Outcome.PROBLEM,
        Hop.EGRESS_POLICY,
        values={"a": "x"},
        detail=Sentence("nearest is {rule}", {"rule": "y"}),
    )
    shown = words(report(blocker, headline=Headline(Sentence("x cannot reach z"), reason=blocker.sentence, others=1)))
    assert "x cannot reach z: `x` is denied, and 1 more blocker" in shown
    assert "*Stops at egress:* nearest is `y`" in shown


def test_every_other_blocker_is_named_with_its_hop() -> None:
    shown = words(samples.blocked_on_both_sides())
    assert (
        "*Also in the way:*\n• *ingress* no ingress rule of `payments/checkout-ingress` allows `shop/loadgen`" in shown
    )


def test_blockers_beyond_the_fifth_are_counted() -> None:
    many = [finding(f"blocker {number}", Outcome.PROBLEM, Hop.EGRESS_POLICY) for number in range(20)]
    shown = words(report(*many))
    assert "• *egress* blocker 5\n… 14 more, see Evidence" in shown


def test_a_default_deny_cites_every_policy_that_makes_it() -> None:
    cited = tuple(Evidence("kubernetes", f"CiliumNetworkPolicy/shop/deny-{number}", "/spec") for number in range(5))
    shown = words(report(finding("denied by default", Outcome.PROBLEM, Hop.INGRESS_POLICY, evidence=cited)))
    assert "• `CiliumNetworkPolicy shop/deny-2` `/spec`\n… 2 more, see Evidence" in shown


def test_a_cluster_wide_object_has_no_namespace() -> None:
    cited = (Evidence("kubernetes", "CiliumClusterwideNetworkPolicy//lockdown"),)
    shown = words(report(finding("denied", Outcome.PROBLEM, Hop.INGRESS_POLICY, evidence=cited)))
    assert "`CiliumClusterwideNetworkPolicy lockdown`" in shown


def test_without_an_answer_the_missing_fact_is_named_and_how_to_get_it() -> None:
    shown = words(samples.cannot_tell())
    assert "*What is missing:*" in shown
    assert "→ Grant the bot list on ciliumnetworkpolicies." in shown


def test_a_single_missing_fact_that_the_headline_names_leaves_only_what_to_do() -> None:
    doubt = finding("there is no namespace x", Outcome.UNKNOWN, Hop.RESOLVE, advice="Check the spelling.")
    shown = words(report(doubt, headline=Headline(doubt.sentence)))
    assert shown.count("there is no namespace") == 1
    assert "*Do:* Check the spelling." in shown


def test_advice_that_many_lines_share_is_given_once() -> None:
    rows = [finding(f"drop {number}", Outcome.PROBLEM, advice="Ask why.") for number in range(3)]
    shown = report(*rows, expected=None, observed=None)
    assert words(shown).count("Ask why.") == 1
    assert plain(shown).count("Ask why.") == 1


def test_a_list_without_a_problem_starts_with_its_headline() -> None:
    shown = report(finding("x"), headline=Headline(Sentence("2 policies")), expected=None, observed=None)
    assert words(shown).startswith("✅ 2 policies\n")
    assert plain(shown).startswith("2 policies\n")


def test_the_status_is_not_said_twice_when_the_headline_says_it() -> None:
    assert plain(samples.cannot_tell()).startswith("CANNOT TELL whether shop/frontend reaches shop/cart")
    assert words(samples.cannot_tell()).startswith("❓ *Cannot tell* whether `shop/frontend` reaches")


def test_the_patch_stands_in_a_code_block_with_what_else_it_opens() -> None:
    shown = words(samples.blocked_on_both_sides())
    assert "changes `CiliumNetworkPolicy payments/checkout-ingress`\n```\n--- CiliumNetworkPolicy" in shown
    assert "⚠️ *Also opens:*\n• shop/loadgen-canary → payments/checkout-api 8443/TCP (3 pairs)" in shown
    assert "Proven: the asked flow is allowed on both sides" in shown


OPENS = {
    "nothing else": (True, (), "", "*Opens nothing else.*"),
    "some flows": (True, ("x",), "", "⚠️ *Also opens:*"),
    "nobody knows what": (False, (), "identities could not be read", "⚠️ *Not known: identities could not be read.*"),
    "some flows and who knows what": (
        False,
        ("x",),
        "timeout",
        "⚠️ *Also opens at least (what else is not known: timeout):*",
    ),
}


@pytest.mark.parametrize("story", OPENS)
def test_a_patch_says_what_else_it_opens(story: str) -> None:
    known, flows, gap, said = OPENS[story]
    whole = samples.blocked_on_both_sides()
    opened = whole.patches[0].also_opens if flows else ()
    patch = replace(whole.patches[0], also_opens=opened, blast_radius_known=known, blast_radius_gap=gap)
    assert said in words(replace(whole, patches=(patch,)))


def test_the_small_print_says_how_much_was_seen() -> None:
    shown = words(samples.blocked_on_both_sides(), age=timedelta(seconds=45), asked_by="U0ADA")
    for clause in (
        "<@U0ADA> asked `why shop/loadgen payments/checkout-api 443`",
        "flows: 6 from 1 of 2 nodes, not heard: lab-node-2",
        "window 12:19:29–12:26:29 UTC",
        "asked back to 12:11:29, remembered only from 12:19:29",
        "120 events lost",
        "cluster lab · taken 2026-11-20 12:26:29 UTC · cached 45 s ago",
        "not read: agent policy of lab-node-2 (timeout): no answer in 4 s → ask again",
    ):
        assert clause in shown


def test_a_new_answer_has_no_age() -> None:
    assert "cached" not in words(samples.open_and_seen())


def test_how_a_name_was_understood_is_said() -> None:
    assert "the Service was taken" in words(samples.blocked_on_both_sides())


def test_the_buttons_carry_the_report_and_the_question() -> None:
    assert buttons(samples.blocked_on_both_sides(), report_id="r1") == {
        "Evidence": "r1",
        "Patch as file": "r1",
        "Ask again without cache": "why shop/loadgen payments/checkout-api 443 fresh",
        "Resolve names": "r1",
    }


def test_there_is_no_button_for_what_there_is_not() -> None:
    assert set(buttons(samples.open_and_seen(), report_id="r1")) == {"Evidence", "Ask again without cache"}


def test_without_a_kept_report_only_asking_is_left() -> None:
    assert set(buttons(samples.blocked_on_both_sides())) == {"Ask again without cache"}


def test_candidates_are_buttons_that_ask() -> None:
    questions = ("why shop/svc/cart shop/db", "why shop/deploy/cart shop/db")
    assert set(questions) <= set(buttons(report(candidates=questions)).values())


def test_what_looks_closer_is_offered() -> None:
    shown = report(finding("x", Outcome.PROBLEM, Hop.IDENTITY, follow_up="identity 695"))
    assert buttons(shown)["identity 695"] == "identity 695"


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


def test_the_text_for_notifications_is_the_plain_report() -> None:
    message = report_message(samples.open_and_seen())
    assert message.text.startswith("OPEN — shop/frontend can reach shop/cart on 8080/TCP")


def test_colours_are_for_terminals_only() -> None:
    assert "\x1b[" not in plain(samples.blocked_on_both_sides())
    assert "\x1b[31;1mBLOCKED\x1b[0m" in plain(samples.blocked_on_both_sides(), colour=True)


def test_markdown_keeps_names_as_they_are_written() -> None:
    shown = replace(samples.open_and_seen(), headline=Headline(Sentence("{a} <b> *c*", {"a": "shop/my_app"})))
    assert markdown(shown).startswith("## Open: shop/my\\_app \\<b\\> \\*c\\*")


def test_a_patch_in_markdown_cannot_end_its_own_fence() -> None:
    whole = samples.blocked_on_both_sides()
    hostile = replace(whole.patches[0], is_new=True, manifest="a: |\n`````\nstill in the patch\n")
    lines = markdown(replace(whole, patches=(hostile,))).splitlines()
    start = lines.index("``````yaml")
    assert lines[start + 1 : start + 5] == ["a: |", "`````", "still in the patch", "``````"]
