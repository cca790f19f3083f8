"""The knowledge: pure functions of values, without any effect."""
