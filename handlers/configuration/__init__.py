"""Cilium's configuration: what options there are and were, and whether what is set is what agents go by."""
