"""Watching the bot: what is counted, shown, traced and logged."""
