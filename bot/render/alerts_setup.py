"""What is to be done with the rules and the receiver."""

from bot.render.blocks import Message, code, message, section


def setup_message(url: str, *, is_open: bool) -> Message:
    """Return the steps; ``is_open`` says whether alerts are taken already."""
    steps = [
        f"1. Apply the rules: {code('kubectl apply -f cilium-triage-rules.yaml')}. Their first lines say which labels"
        " Hubble's metrics need.",
        f"2. Add the receiver to Alertmanager's configuration. It posts to {code(url)}.",
        f"3. Give Alertmanager the token of {code('CILIUM_TRIAGE_ALERTS_TOKEN')}."
        if is_open
        else f"3. ⚠️ No alerts are taken yet: set {code('CILIUM_TRIAGE_ALERTS_TOKEN')} for me, and give it to"
        f" Alertmanager; {code('openssl rand -hex 32')} makes one.",
        f"4. {code('/cilium channel incident on')} or {code('/cilium channel alerts all')} lets them in here.",
    ]
    return message([section("\n".join(steps))], f"Rules and a receiver: alerts are posted to {url}")
