"""A local stand-in for Slack: Web API, Socket Mode, signed HTTP delivery and a page that looks like a channel.

The real bot connects to it unchanged (``SLACK_API_URL=http://127.0.0.1:PORT/api/``). People use it through
``make playground``; tests and the demo start it in process with ``tools.playground.server.running_playground``.
It enforces what Slack enforces, because a bot that only ever met a lenient server learns its limits in an incident.
"""
