"""The page about alerts: how they become questions, and every alert that is known by name."""

from collections.abc import Iterable

import workers.cli.alert
from handlers.alerts.known.entry import KnownAlert

_INTRODUCTION = """\
# Alerts

`cilium-triage alert FILE` reads what others send about trouble, and asks what it asks: a webhook of Alertmanager
(version 4) or Grafana, what PagerDuty, Opsgenie, Datadog and others hand on to webhooks, a message of Slack
(Alertmanager's, Grafana's, PagerDuty's, Opsgenie's, Datadog's, also edited ones), events of Kubernetes (`Unhealthy`,
`PacketDrop`), or lines of text. The shape is told by what is inside; `-` is standard input, and 64 is the exit status
for what has none of these shapes. `--dry-run` says what it is read as and looks at no cluster; else the first
question of each card for triage that fires is answered below it, from the cluster, `--sysdump` or `--replay`.

One cause is one card: cluster, source workload, destination workload, port and kind of trouble make its
fingerprint. What is not about the network stays silent; what may be is offered, and not asked.

`cilium-triage alerts rules` prints rules on the metrics of Hubble and Cilium whose alerts name both ends, and a
receiver for Alertmanager.

## How labels are read

- `exported_*` are of whom the alert is about, and then `namespace`, `pod` and the like are the exporter's.
- `job`, `instance`, `endpoint` and `container` of kube-state-metrics are its own; of `TargetDown` they are the
  target's.
- `namespace` and `pod` of metrics of Hubble and the agent are the agent's; `source*` and `destination*` are the
  flow's: pods, workloads, addresses, names, reserved identities, numbers of identities. A name without a namespace
  is asked back.
- The `namespace` of a blackbox probe is where the exporter lives: it is the source, `instance` the destination.
- A subject line has values without names: they are read by their order and their shapes. What can be read in
  several ways is asked back, with all of them.
- A kubelet's probe that was refused or answered with an error arrived: no policy stopped it. One that timed out may
  have been dropped.
- Pings that are denied are noise.

## The JSON form
"""

_KNOWN = """\
## Known alerts

Names are compared by letters and digits alone. Those behind “also” have no published rule. An alert that is not
among them is read by its labels, and by the words of its name and annotations.
"""


def alerts_page(known: Iterable[KnownAlert]) -> tuple[str, ...]:
    """Return the paragraphs of the page."""
    head = "| alert | what it means | its rule |\n|---|---|---|\n"
    rows = (f"| {_names(entry)} | {entry.means} | {entry.source} |" for entry in known)
    form = (workers.cli.alert.__doc__ or "").partition("there:\n\n")[2].replace("``", "`")
    return _INTRODUCTION, form, _KNOWN, head + "\n".join(rows)


def _names(entry: KnownAlert) -> str:
    published, also = (", ".join(f"`{name}`" for name in names) for names in (entry.names, entry.also))
    return f"{published}; also {also}" if also else published
