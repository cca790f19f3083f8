"""Completion for shells: a script with the subcommands and their options, to be sourced."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

PROGRAM = "cilium-triage"


@dataclass(frozen=True, slots=True)
class Completed:
    """A word that completes the command line, and what it does in one line."""

    word: str
    summary: str


def script(shell: str, subcommands: Sequence[Completed], options: Sequence[Completed]) -> str:
    """Return the script for ``bash``, ``zsh`` or ``fish``.

    Raises:
        KeyError: for any other shell.
    """
    return _SCRIPTS[shell](subcommands, options)


def _bash(subcommands: Sequence[Completed], options: Sequence[Completed]) -> str:
    return f"""\
_cilium_triage() {{
  local current=${{COMP_WORDS[COMP_CWORD]}}
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{_words(subcommands)}" -- "$current"))
  elif [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "{_words(options)}" -- "$current"))
  fi
}}
complete -o default -F _cilium_triage {PROGRAM}
"""


def _zsh(subcommands: Sequence[Completed], options: Sequence[Completed]) -> str:
    return f"""\
#compdef {PROGRAM}
_cilium_triage() {{
  local -a subcommands options
  subcommands=({_described(subcommands)})
  options=({_described(options)})
  if (( CURRENT == 2 )); then
    _describe subcommand subcommands
  elif [[ $words[CURRENT] == -* ]]; then
    _describe option options
  else
    _files
  fi
}}
compdef _cilium_triage {PROGRAM}
"""


def _fish(subcommands: Sequence[Completed], options: Sequence[Completed]) -> str:
    first = [
        f"complete -c {PROGRAM} -n __fish_use_subcommand -f -a {one.word} -d {_quoted(one)}" for one in subcommands
    ]
    rest = [
        f"complete -c {PROGRAM} -n 'not __fish_use_subcommand' -l {one.word.removeprefix('--')} -d {_quoted(one)}"
        for one in options
        if one.word.startswith("--")
    ]
    return "\n".join([*first, *rest]) + "\n"


_SCRIPTS: dict[str, Callable[[Sequence[Completed], Sequence[Completed]], str]] = {
    "bash": _bash,
    "zsh": _zsh,
    "fish": _fish,
}
SHELLS = tuple(_SCRIPTS)


def _words(completed: Sequence[Completed]) -> str:
    return " ".join(one.word for one in completed)


def _described(completed: Sequence[Completed]) -> str:
    # A colon parts the word from what it does.
    return " ".join(f"'{one.word}:{_plain(one.summary)}'" for one in completed)


def _quoted(one: Completed) -> str:
    return f"'{_plain(one.summary)}'"


def _plain(summary: str) -> str:
    return summary.replace("'", "’").replace("\\", "")
