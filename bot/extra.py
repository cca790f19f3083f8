"""What is said where a process of the Slack app is started without the extra that it needs."""

import sys

USAGE_ERROR = 64
"""EX_USAGE of sysexits.h."""


def refuse(process: str, error: ModuleNotFoundError) -> SystemExit:
    """Say in one line what to install, and return what ends the process."""
    package = (error.name or "a package").partition(".")[0]
    sys.stderr.write(
        f"cilium-triage {process}: {package} is not installed; install the processes of the Slack app with"
        " pip install 'cilium-triage[slack]'\n"
    )
    return SystemExit(USAGE_ERROR)
