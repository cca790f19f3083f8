"""Rules for Prometheus and a receiver for Alertmanager: what makes an alert name exactly whom it is about."""

RULES = """\
# placeholder: true
"""
