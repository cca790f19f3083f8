"""The cluster edge: Celery, Kubernetes, Hubble, agents, archives, Redis, and the command line."""
