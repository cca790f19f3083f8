"""One file, one subcommand. Importing this package fills the table."""

import importlib
import pkgutil

from handlers.commands.command import COMMANDS, Asked, Command, NotUnderstoodError, Role

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

from handlers.commands.understand import understand  # noqa: E402  (needs the table)

__all__ = ["COMMANDS", "Asked", "Command", "NotUnderstoodError", "Role", "understand"]
