"""Endpoints of pods: what Cilium made of each, what it enforces, and why one was never made."""
