"""Every option of cilium-config means something to the version that runs.

Agents ignore options that they do not know: what a release took away is silently not in force, and a name with a typo
never was.
"""

from collections.abc import Iterator, Mapping

from handlers.commands.config import Config
from handlers.configuration.known_options import KNOWN
from handlers.configuration.removed_options import OLD_VALUES, is_leftover, removed_by
from handlers.connection.node_options import CONFIG_MAP, is_about
from handlers.model.cluster import CiliumConfig
from handlers.model.facts import Facts
from handlers.model.finding import Evidence, Finding, Outcome, code
from handlers.model.parts import Part
from handlers.names.spelling import nearest
from handlers.policy.versions import Version
from handlers.probes.probe import probe

OPTION_REMOVED = code(
    "OPTION_REMOVED",
    meaning="An option of cilium-config is gone since a release that is older than what runs: agents ignore it. It is a"
    " note where nothing is missing without it.",
    template="{option} is set to {value} in cilium-config, and Cilium {version} ignores it: it was removed in {since}",
    advice="Take it out of cilium-config.",
)
OPTION_VALUE_REMOVED = code(
    "OPTION_VALUE_REMOVED",
    meaning="An option of cilium-config has a value that a release took away: an agent that starts now ends over it.",
    template="{option} is {value} in cilium-config, which Cilium no longer takes since {since}: an agent that starts"
    " now refuses it",
    advice="Set it to {instead}.",
)
OPTION_UNKNOWN = code(
    "OPTION_UNKNOWN",
    meaning="An option of cilium-config is none that Cilium 1.16 to 1.19 is known to have: a note, for it may be"
    " newer, or hidden.",
    template="{option} in cilium-config is no option that is known here{near}",
)
OPTIONS_KNOWN = code(
    "OPTIONS_KNOWN",
    meaning="Every option of cilium-config is one that Cilium has.",
    template="{count} option{count:|s} of cilium-config {count:is|are} known",
)


@probe(
    answers=(Config,),
    codes=(OPTION_REMOVED, OPTION_VALUE_REMOVED, OPTION_UNKNOWN, OPTIONS_KNOWN),
    needs=(Part.CONFIG,),
)
def config_options_are_known(question: Config, facts: Facts) -> Iterator[Finding]:
    """Look every option up in the table of those that are gone, and in the list of those that are there."""
    config: CiliumConfig = facts.value(Part.CONFIG)
    version = _oldest(config)
    options = {option: value for option, value in config.options.items() if is_about(option, question.key)}
    found = [finding for option in sorted(options) for finding in _judge(option, config.options, version)]
    yield from found
    known = sum(option in KNOWN for option in options)
    if known and not found:
        yield OPTIONS_KNOWN.finding(Outcome.FINE, count=known)


def _oldest(config: CiliumConfig) -> Version | None:
    """Return the oldest version that runs: what one agent still knows is not gone yet."""
    found = []
    for text in (*config.versions.values(), *((config.version,) if config.version else ())):
        try:
            found.append(Version.parse(text))
        except ValueError:
            continue
    return min(found, default=None)


def _judge(option: str, options: Mapping[str, str], version: Version | None) -> Iterator[Finding]:
    value = options[option]
    evidence = [Evidence("kubernetes", f"ConfigMap//{CONFIG_MAP}", f"/data/{option}", excerpt=value[:60])]
    if version and (removed := removed_by(option, version)):
        leftover = is_leftover(removed, options)
        yield OPTION_REMOVED.finding(
            Outcome.FINE if leftover else Outcome.PROBLEM,
            evidence=evidence,
            advice="" if leftover else f"{removed.instead} {OPTION_REMOVED.advice}".strip(),
            weight=10 if leftover else 65,
            option=option,
            value=value[:60],
            version=str(version),
            since=removed.release,
        )
        return
    since, old, instead = OLD_VALUES.get(option, ((99, 0), (), ""))
    if version and version.line >= since and value.strip().lower() in old:
        yield OPTION_VALUE_REMOVED.finding(
            Outcome.PROBLEM,
            evidence=evidence,
            advice=OPTION_VALUE_REMOVED.advice.format(instead=instead),
            weight=90,
            option=option,
            value=value[:60],
            since=f"{since[0]}.{since[1]}",
        )
    elif option not in KNOWN:
        close = nearest(option, KNOWN, most=1, cutoff=0.85)
        yield OPTION_UNKNOWN.finding(
            Outcome.FINE,
            evidence=evidence,
            weight=5,
            option=option[:80],
            near=f"; {close[0]} is" if close else "",
        )
