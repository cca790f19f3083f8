"""Looks at what the bot stands on: Redis and Slack; keeps what was found for App Home."""
