"""The Slack edge: listeners, rendering, publishing."""
