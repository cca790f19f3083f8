"""Events of Kubernetes to the model (core/v1 Event, Kubernetes API reference v1.36)."""

from handlers.model.event import Event
from workers.sources.convert.reading import Body, moment, namespace_of, number, struct, text


def warning(body: Body) -> Event | None:
    """Read a core/v1 Event; None for one of type Normal, which complains of nothing."""
    if text(body, "type") == "Normal":
        return None
    about, source, series = struct(body, "involvedObject"), struct(body, "source"), struct(body, "series")
    first = moment(body, "firstTimestamp") or moment(body, "eventTime")
    return Event(
        namespace=text(about, "namespace") or namespace_of(body),
        kind=text(about, "kind") or "",
        name=text(about, "name") or "",
        reason=text(body, "reason") or "",
        message=text(body, "message") or "",
        source=text(body, "reportingComponent") or text(source, "component") or "",
        node=text(source, "host") or None,
        count=number(series, "count") or number(body, "count") or 1,
        first_at=first,
        last_at=moment(series, "lastObservedTime") or moment(body, "lastTimestamp") or first,
    )
