"""The Slack edge: listeners, rendering, publishing, and the playground."""
