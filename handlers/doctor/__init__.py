"""What the state of a setup means: what is fine, what is not and what to do about it. Whoever can look, looks."""
