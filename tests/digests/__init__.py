"""Digests: what stands, what differs, when it is told."""
