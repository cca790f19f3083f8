"""The console command ``cilium-triage``: the same questions and the same engine, in a terminal."""

import sys


def main() -> None:
    """Run the command line and exit with its status (see ``workers.cli.status``)."""
    from workers.cli.app import run

    sys.exit(run(sys.argv[1:]))
