"""What stands beside the product, on a developer's machine: a stand-in for Slack, a Redis, the demo, generators."""
