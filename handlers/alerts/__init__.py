"""From an alert to a question: what was received, what it says about connections, and whom to ask about it."""
