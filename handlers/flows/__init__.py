"""What flows show of many connections at once: whose they are, which belong together, who talks most."""
