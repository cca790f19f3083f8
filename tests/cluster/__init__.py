"""A cluster of test doubles that speak the real protocols: a Kubernetes API, a Hubble relay, agents behind exec."""
