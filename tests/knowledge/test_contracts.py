"""What every probe, code and command owes, and every finding that the scenarios bring out."""

import importlib
import pkgutil
import string
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest

import handlers.probes
from bot.render.headline import sentence_of
from handlers.catalogue import CATALOGUE, Catalogue, understand
from handlers.commands.command import Command
from handlers.engine import answer
from handlers.model.finding import Code, Finding, Outcome, Sentence
from handlers.model.report import Report
from handlers.probes.probe import OF_EVERY_PROBE
from tests.knowledge.build import deny_all, shop
from tests.scenarios.truth import FOLDER, SCENARIOS, checks
from workers.collect import collect
from workers.sources.sysdump import SysdumpSource

MODULES = sorted(module.name for module in pkgutil.iter_modules(handlers.probes.__path__) if module.name != "probe")
OF_THE_ENGINE = {code.name for code in OF_EVERY_PROBE}
WHOLE_CLUSTER = ("lint", "reach shop/cart", "matrix shop", "check deny world to shop/", "whatif label shop env=new")


@cache
def reports() -> tuple[Report, ...]:
    """Every check of every scenario, and the siblings' questions of each."""
    return tuple(_reports())


def _reports() -> Iterator[Report]:
    for scenario in SCENARIOS:
        source = SysdumpSource(FOLDER / scenario / "sysdump.zip")
        asked = [check.question for check in checks(scenario)]
        for text in (*asked, "drops since 1h", "health", "policies shop", "identity shop/frontend", *WHOLE_CLUSTER):
            question = understand(text).question
            yield answer(question, collect(question, source, budget=30))
        source.close()


def findings() -> Iterator[tuple[Report, Finding]]:
    for report in reports():
        for finding in report.findings:
            yield report, finding


def unfilled(sentence: Sentence) -> set[str]:
    inside = (value for value in sentence.values.values() if isinstance(value, Sentence))
    return (holes(sentence.template) - set(sentence.values)).union(*map(unfilled, inside))


def holes(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("name", MODULES)
def test_a_probe_s_module_claims_one_thing(name: str) -> None:
    mine = [probe for probe in CATALOGUE.probes if probe.name == name]
    assert len(mine) == 1
    (probe,) = mine
    module = importlib.import_module(f"handlers.probes.{name}")
    first = (module.__doc__ or "").splitlines()[0]
    assert first == probe.healthy
    assert first.endswith((".", ":")) or ":" in first
    assert probe.codes
    assert probe.answers
    assert not any(code.name in OF_THE_ENGINE for code in probe.codes)


@pytest.mark.parametrize("code", CATALOGUE.codes.values(), ids=CATALOGUE.codes.keys())
def test_a_code_has_words(code: Code) -> None:
    assert code.meaning.endswith(".")
    assert code.template
    assert not code.template.endswith(".")
    assert "" not in holes(code.template)


def test_every_code_belongs_to_a_probe() -> None:
    declared = {code.name for probe in CATALOGUE.probes for code in probe.codes}
    used = {finding.code for _, finding in findings()}
    assert used <= declared | OF_THE_ENGINE


def test_a_finding_has_a_code_that_its_probes_declare() -> None:
    for report, finding in findings():
        question = understand(report.question).question
        declared = {code.name for probe in CATALOGUE.probes_for(question) for code in probe.codes} | OF_THE_ENGINE
        assert finding.code in declared


def test_the_holes_of_every_finding_are_filled() -> None:
    for report, finding in findings():
        assert not unfilled(finding.whole), (report.question, finding.code)
    for report in reports():
        assert not unfilled(sentence_of(report)), report.question


def test_no_probe_breaks_in_the_scenarios() -> None:
    assert [finding.text for _, finding in findings() if finding.outcome is Outcome.BROKEN] == []


def test_what_needs_doing_has_a_reference_or_an_advice() -> None:
    for report, finding in findings():
        if finding.outcome is Outcome.PROBLEM:
            assert finding.evidence or finding.advice, (report.question, finding.code)


def test_a_reference_is_kind_namespace_name() -> None:
    for _, finding in findings():
        for evidence in finding.evidence:
            assert evidence.ref == "" or evidence.ref.count("/") >= 2 or evidence.ref.startswith("Endpoint"), evidence
            assert evidence.pointer == "" or evidence.pointer.startswith("/")
            assert evidence.source in ("kubernetes", "hubble", "agent", "computed")


def test_a_follow_up_can_be_asked() -> None:
    for _, finding in findings():
        if finding.follow_up:
            assert str(understand(finding.follow_up)) == finding.follow_up


def test_the_question_of_a_report_asks_the_same_again() -> None:
    for report in reports():
        assert str(understand(report.question)) == report.question


def test_findings_stand_in_hop_order() -> None:
    for report in reports():
        if report.command == "why":
            hops = [finding.hop.order for finding in report.findings if finding.hop]
            assert hops == sorted(hops)


EXAMPLES = [(command.name, example) for command in CATALOGUE.commands.values() for example in command.examples]


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[example for _, example in EXAMPLES])
def test_an_example_is_understood_and_its_normal_form_reads_back(name: str, example: str) -> None:
    asked = understand(example)
    assert asked.command.name == name
    assert isinstance(asked.question, CATALOGUE.commands[name].question)
    again = understand(str(asked))
    assert again.question == asked.question
    assert str(again) == str(asked)


@pytest.mark.parametrize("command", CATALOGUE.commands.values(), ids=CATALOGUE.commands.keys())
def test_a_command_says_what_it_is(command: Command) -> None:
    assert command.usage.startswith(command.name)
    assert command.summary.endswith((".", "?"))
    assert command.examples


def test_the_questions_of_this_story_are_answered_alike_twice() -> None:
    cluster = shop().policy(deny_all("shop", "cart"))
    assert cluster.ask("why shop/frontend shop/cart 80") == cluster.ask("why shop/frontend shop/cart 80")


def test_two_commands_of_one_name_are_refused() -> None:
    command = CATALOGUE.commands["health"]
    with pytest.raises(ValueError, match="command health is declared twice"):
        Catalogue.of([command, replace(command, summary="Another.")], [])


def test_two_codes_of_one_name_are_refused() -> None:
    probe = CATALOGUE.probes[0]
    (first, *_) = probe.codes
    with pytest.raises(ValueError, match=f"code {first.name} is declared twice"):
        Catalogue.of([], [probe, replace(probe, codes=(replace(first, meaning="Another."),))])
