"""The options that say where to look, alike in every command."""

from pathlib import Path
from typing import Annotated

import typer

from workers.origin import Live, NotOpenedError, Origin, Recorded, Sysdump

SysdumpOption = Annotated[
    Path | None, typer.Option("--sysdump", help="Look at a `cilium sysdump` zip or folder.", show_default=False)
]
ReplayOption = Annotated[
    Path | None, typer.Option("--replay", help="Look at a recording made with --record.", show_default=False)
]
ContextOption = Annotated[
    str | None, typer.Option("--context", help="Context of the kubeconfig; default: the current one.")
]
KubeconfigOption = Annotated[
    Path | None, typer.Option("--kubeconfig", help="Kubeconfig file; default: $KUBECONFIG, else in-cluster.")
]
VersionOption = Annotated[
    str | None,
    typer.Option(
        "--cilium-version",
        help="Judge as this version of Cilium would, whatever runs: 1.19.6.",
        show_default=False,
    ),
]
HubbleOption = Annotated[
    str | None,
    typer.Option("--hubble-server", help="Address of Hubble relay; default: $HUBBLE_SERVER, else a port-forward."),
]

NamespaceOption = Annotated[
    str | None, typer.Option("--cilium-namespace", help="Namespace of Cilium's agents; default: kube-system.")
]
BudgetOption = Annotated[float, typer.Option("--budget", min=0.1, max=600, help="Seconds for all reads together.")]


def origin_of(sysdump: Path | None, replay: Path | None, live: Live) -> Origin:
    """Return the one place that the options name.

    Raises:
        NotOpenedError: if they name several.
    """
    if sysdump is not None and replay is not None:
        raise NotOpenedError("--sysdump and --replay exclude each other: name one of them")
    if (sysdump or replay) and live != Live():
        raise NotOpenedError("--context, --kubeconfig, --hubble-server and --cilium-namespace are for a live cluster")
    if sysdump is not None:
        return Sysdump(sysdump)
    if replay is not None:
        return Recorded(replay)
    return live
