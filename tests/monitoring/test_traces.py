"""A question is one trace, whose id is its ticket's; names are in it where that is allowed, texts of errors never."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bot.followed import followed
from bot.metrics import Stage
from bot.otel import is_wanted
from bot.spans import spans
from bot.stages import stage, waited
from bot.ticket import Address, Ticket, new_ticket_id
from bot.tracing import Tracing
from handlers.model.finding import Sentence
from handlers.model.headline import Headline
from handlers.model.report import Expected, Report
from workers.outcomes import note_told

ASKED_AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def sent() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    spans.begin(Tracing("test", exporter))
    yield exporter
    spans.end()


def by_name(sent: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in sent.get_finished_spans()}


def ticket() -> Ticket:
    return Ticket(new_ticket_id(), "why shop/web shop/cart", "why", False, Address("slack", {}), ASKED_AT)


def report() -> Report:
    return Report("why shop/web shop/cart", "why", Headline(Sentence("x")), ASKED_AT, "live", (), Expected.OPEN)


def ask(asked: Ticket) -> None:
    with followed(asked.id):
        with stage(Stage.TAKE):
            pass
        waited(Stage.QUEUE, asked.asked_at)
        with stage(Stage.READ):
            pass
        note_told(asked, report())


def test_the_stages_of_a_question_are_parts_of_one_trace_with_the_id_of_its_ticket(sent: InMemorySpanExporter) -> None:
    asked = ticket()
    ask(asked)
    found = by_name(sent)
    assert set(found) == {"take", "queue", "read", "question"}
    whole = found["question"]
    assert f"{whole.context.trace_id:032x}" == asked.id
    assert whole.parent is None
    for name in ("take", "queue", "read"):
        parent = found[name].parent
        assert parent is not None
        assert (found[name].context.trace_id, parent.span_id) == (whole.context.trace_id, whole.context.span_id)
    assert whole.start_time == found["queue"].start_time == int(ASKED_AT.timestamp() * 1e9)
    assert dict(whole.attributes or {}) == {
        "cilium_triage.ticket": asked.id,
        "cilium_triage.kind": "why",
        "cilium_triage.outcome": "open",
    }


def test_names_are_in_it_where_that_is_allowed(sent: InMemorySpanExporter) -> None:
    exporter = InMemorySpanExporter()
    ask(ticket())
    spans.begin(Tracing("test", exporter), with_questions=True)
    ask(ticket())
    assert "shop" not in "".join(span.to_json() for span in sent.get_finished_spans())
    assert (by_name(exporter)["question"].attributes or {})["cilium_triage.question"] == "why shop/web shop/cart"


def test_an_error_is_there_by_its_kind_and_says_nothing(sent: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="hunter2"), followed(ticket().id), stage(Stage.READ):
        raise ValueError("hunter2 of shop/cart")
    (span,) = sent.get_finished_spans()
    assert span.status.description == "ValueError"
    assert not span.events
    assert "hunter2" not in span.to_json()


def test_what_is_about_no_question_is_no_trace(sent: InMemorySpanExporter) -> None:
    with stage(Stage.READ):
        pass
    assert sent.get_finished_spans() == ()


@pytest.mark.parametrize(("sampler", "count"), [("always_off", 0), ("always_on", 4), ("parentbased_always_on", 4)])
def test_both_processes_leave_out_the_same_questions(sampler: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", sampler)
    exporter = InMemorySpanExporter()
    spans.begin(Tracing("test", exporter))
    ask(ticket())
    spans.end()
    assert len(exporter.get_finished_spans()) == count


def test_of_a_part_of_all_questions_each_is_traced_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
    exporter = InMemorySpanExporter()
    spans.begin(Tracing("test", exporter))
    asked = [ticket() for _ in range(40)]
    for one in asked:
        ask(one)
    spans.end()
    seen = [f"{span.context.trace_id:032x}" for span in exporter.get_finished_spans()]
    assert {seen.count(one.id) for one in asked} == {0, 4}


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
    ids=["nothing set", "a receiver", "a receiver of traces", "switched off", "no exporter"],
)
def test_nothing_is_sent_unless_the_variables_name_a_receiver(environment: dict[str, str], wanted: bool) -> None:
    assert is_wanted(environment) is wanted
