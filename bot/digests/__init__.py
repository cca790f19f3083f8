"""Subscriptions to digests: who is told what when, kept in Redis."""
