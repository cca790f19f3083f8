"""The policy engine: decides as Cilium decides, and says why."""
