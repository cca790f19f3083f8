"""Cards in Slack, one for each cause and channel: taken in, kept in Redis, shown at Slack's pace, asked about."""
