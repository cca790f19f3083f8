"""Policy audit mode: which endpoints only count what their policies deny, and what enforcing would cut."""
