"""Recorded moments of a real two-node cluster, each with what was true of it."""
