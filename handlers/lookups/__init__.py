"""How names are looked up: what a pod's resolver asks, what flows show of it, and who answers."""
