"""From values to messages: pure functions, no client, no clock, nothing heavy to import."""
