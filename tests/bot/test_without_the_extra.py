"""A process of the Slack app that is started without its extra says in one line what to install."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("absent", ["slack_bolt", "redis", "pydantic_settings"])
def test_the_web_process_names_what_to_install(absent: str) -> None:
    hidden = f"import runpy, sys; sys.modules[{absent!r}] = None; runpy.run_module('bot', run_name='__main__')"
    ran = subprocess.run([sys.executable, "-c", hidden], capture_output=True, text=True, check=False)
    assert ran.returncode == 64
    assert ran.stderr == (
        f"cilium-triage bot: {absent} is not installed; install the processes of the Slack app with"
        " pip install 'cilium-triage[slack]'\n"
    )
