"""Egress gateways: which policy takes a packet out through which node, and with which address."""
