"""The whole system on one machine: Redis, worker, bot and a stand-in for Slack, looking at a sample sysdump."""

from pathlib import Path

SAMPLE = Path(__file__).with_name("sample.zip")
"""A real ``cilium sysdump`` of a two-node cluster in which a policy denies a connection, without its logs."""

QUESTION = "why shop/loadgen shop/cart 8080"
"""What to ask about it."""
