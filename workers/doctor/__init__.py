"""Looks at the cluster that a setup is for, with the rights and the readers of the answers themselves."""
