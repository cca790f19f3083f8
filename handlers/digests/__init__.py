"""Digests: what stood at two moments, and what differs between them."""
