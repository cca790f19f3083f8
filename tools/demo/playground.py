"""``python -m tools.demo.playground``: the processes of ``Procfile.dev`` until Ctrl-C, on ports of their own."""

import argparse
import json
import os
import secrets
import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from honcho.environ import parse_procfile
from honcho.manager import Manager

from tools.demo import QUESTION, SAMPLE
from tools.embedded import free_port
from tools.playground.settings import PlaygroundSettings
from tools.playground.workspace import USER_GROUPS

USUAL_PORT = 3100


def main(arguments: Sequence[str]) -> int:
    """Run until interrupted or until one of the processes ends; return the exit status."""
    options = _options(arguments)
    port = options.port or (USUAL_PORT if _is_free(USUAL_PORT) else free_port())
    with tempfile.TemporaryDirectory(prefix="cilium-triage-playground-") as folder:
        clock = Path(folder) / "clock"
        return _run(options, port, {**os.environ, **environment_for(port, options.source, clock)})


def _run(options: argparse.Namespace, port: int, environment: dict[str, str]) -> int:
    manager = Manager()
    for name, command in parse_procfile(options.procfile.read_text(encoding="utf-8")).processes.items():
        manager.add_process(name, command, env=environment)
    sys.stdout.write(
        f"\nThe playground opens at http://127.0.0.1:{port} — type  /cilium {QUESTION}\n"
        f"It looks at {options.source}. Ctrl-C stops everything.\n\n"
    )
    sys.stdout.flush()
    manager.loop()
    # Being told to stop is how it is meant to end.
    return 0 if manager.returncode in (130, 143) else int(manager.returncode or 0)


def environment_for(port: int, source: str, clock: Path) -> dict[str, str]:
    """Return the variables with which the processes of the playground find each other.

    ``clock`` is the file that tells them by how much the clock of the page was moved. Alerts go to #incident-42, and
    those on call and of the platform are operators.
    """
    settings = PlaygroundSettings()
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "PLAYGROUND_PORT": str(port),
        "REDIS_URL": f"redis://:{secrets.token_hex(16)}@127.0.0.1:{free_port()}/0",
        "SLACK_API_URL": f"http://127.0.0.1:{port}/api/",
        "SLACK_BOT_TOKEN": settings.bot_token,
        "SLACK_APP_TOKEN": settings.app_token,
        "SLACK_SIGNING_SECRET": settings.signing_secret,
        "CILIUM_TRIAGE_SOURCE": source,
        "CILIUM_TRIAGE_PORT": str(free_port()),
        "CILIUM_TRIAGE_ALERTS_TOKEN": secrets.token_hex(16),
        "CILIUM_TRIAGE_INCIDENT_CHANNELS": "inc-*,incident-*",
        "CILIUM_TRIAGE_CHANNELS": json.dumps({"incident-*": {"alerts": "all"}}),
        "CILIUM_TRIAGE_OPERATOR_USERGROUPS": ",".join(str(group["id"]) for group in USER_GROUPS),
        "PLAYGROUND_CLOCK": str(clock),
        "CILIUM_TRIAGE_LOG_LEVEL": os.environ.get("CILIUM_TRIAGE_LOG_LEVEL", "WARNING"),
        "PYTHONUNBUFFERED": "1",
    }


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make playground", description="The whole system with a stand-in for Slack.")
    parser.add_argument(
        "--port",
        type=int,
        default=int(os.environ.get("PLAYGROUND_PORT") or 0),
        help=f"port of the page; default: $PLAYGROUND_PORT, else {USUAL_PORT} if it is free",
    )
    parser.add_argument(
        "--source",
        default=os.environ.get("CILIUM_TRIAGE_SOURCE") or f"sysdump:{SAMPLE}",
        help="live, sysdump:PATH or replay:PATH; default: $CILIUM_TRIAGE_SOURCE, else the sample sysdump",
    )
    parser.add_argument("--procfile", type=Path, default=Path("Procfile.dev"))
    return parser.parse_args(arguments)


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
