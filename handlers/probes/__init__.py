"""One file, one claim. Importing this package fills the list."""

import importlib
import pkgutil

from handlers.probes.probe import PROBES, Probe

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["PROBES", "Probe"]
