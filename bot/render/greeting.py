"""What the bot says when it comes into a channel: what it will do there by itself, and what it does when asked."""

from bot.channel_rules import ChannelRules, Verbosity
from bot.render.blocks import Message, bullets, code, context, escape, message, section

_TOLD = {
    Verbosity.VERBOSE: "each cause has one card, and each answer a reply in its thread",
    Verbosity.NORMAL: "each cause has one card, which is edited",
    Verbosity.QUIET: "only causes in which something was found to be wrong are shown",
}


def greeting(rules: ChannelRules) -> Message:
    """Return the greeting of a channel in which these rules hold."""
    ask = f"Ask me with {code('/cilium')} or by a mention: {code('why shop/frontend shop/cart 8080')}"
    if not rules.is_incident:
        how = f"Operators make this an incident channel with {code('/cilium channel incident on')}."
        text = "I read Cilium's policies, endpoints and flows, and change nothing. I speak here only when I am asked."
        return message([section(f"{escape(text)}\n{ask}."), context(how)], text)
    lines = [
        "alerts that other apps post here become cards: who cannot reach whom, whether policy stops it, and the patch;"
        f" {_TOLD[rules.verbosity]}",
        "alerts that are not about the network stay silent; where I am in doubt I offer a button",
        "questions that are written here are answered without a mention",
        "a dump of cilium sysdump that is dropped here is looked at, and questions in its thread are about it",
    ]
    said = [
        f"quiet hours {rules.quiet_hours}" if rules.quiet_hours else "",
        f"cluster {rules.cluster}" if rules.cluster else "",
    ]
    text = "This is an incident channel; I triage the network in it, and change nothing."
    return message(
        [
            section(f"{escape(text)}\n{bullets([escape(line) for line in lines], most=9, limit=2_000)}\n{ask}."),
            context(
                ", ".join([escape(one) for one in said if one] or ["no quiet hours"]),
                f"{code('/cilium channel')} shows and changes it",
            ),
        ],
        text,
    )
