"""A ``cilium sysdump`` as a source of facts."""

from workers.sources.sysdump.source import SysdumpSource

__all__ = ["SysdumpSource"]
