"""What is made of a source's lists, outputs and flows: every part, written once for all sources."""

from workers.sources.assemble.source import AssembledSource, Manifests

__all__ = ["AssembledSource", "Manifests"]
