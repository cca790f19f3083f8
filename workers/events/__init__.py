"""Kubernetes' own words about trouble, heard as they are said: events that become alerts."""
