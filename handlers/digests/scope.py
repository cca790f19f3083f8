"""What a digest is of: the questions that its words name, ``health,drops,lint of shop``."""

import re

from handlers.catalogue import CATALOGUE, Catalogue
from handlers.commands.command import Asked, NotUnderstoodError

USUAL = ("health", "nodes", "services", "drops", "audit", "maps", "config", "lint")
"""What is asked where nothing is named: everything that can be asked of a whole cluster and finds problems."""
MOST = 12
USAGE = "[QUESTION, QUESTION, …] [of NAMESPACE]"
_OF = re.compile(
    r"^(?P<what>.*?)\s*\b(?:of|in|for)\s+(?:namespace\s+)?(?P<namespace>[a-z0-9][-a-z0-9]{0,62})$", re.IGNORECASE
)
_TAKES_NAMESPACE = re.compile(r"[\[|]NAMESPACE[\]|]")
_SEPARATOR = re.compile(r"\s*(?:,|;|\band\b)\s*", re.IGNORECASE)


def questions_in(words: str, catalogue: Catalogue = CATALOGUE) -> tuple[Asked, ...]:
    """Return the questions, each once; those that can be asked of a namespace are asked of the one that is named.

    Each is a command's name, or a whole question: ``health, why shop/frontend shop/cart 8080``.

    Raises:
        NotUnderstoodError: if one of them is none, or cannot be asked on a schedule, or there are too many.
    """
    found = _OF.match(words.strip())
    what, namespace = (found["what"], found["namespace"].lower()) if found else (words.strip(), "")
    names = [name for name in _SEPARATOR.split(what) if name] or list(USUAL)
    if all(name.lower() in catalogue.commands for name in what.split()):
        names = what.split() or names
    asked = [_asked(name, namespace, catalogue) for name in names]
    if len(asked) > MOST:
        raise NotUnderstoodError(f"A digest has at most {MOST} questions; these are {len(asked)}.", USAGE)
    return tuple({str(one): one for one in asked}.values())


def _asked(name: str, namespace: str, catalogue: Catalogue) -> Asked:
    command = catalogue.commands.get(name.lower())
    takes_namespace = command is not None and _TAKES_NAMESPACE.search(command.usage) is not None
    asked = catalogue.understand(f"{name} {namespace}" if namespace and takes_namespace else name)
    if asked.watched is not None:
        raise NotUnderstoodError(f"{name} follows what comes; a digest asks what stands.", USAGE)
    return asked
