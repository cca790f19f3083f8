"""The whole cluster at once: its ends, who reaches whom on which ports, and what a change would do.

Cilium decides by identity. So each distinct selector is compiled once to a bit set over the identities, and the
answers for all pairs are sums and differences of such sets: exactly what ``PolicySet.combine`` says of each pair, at a
cost that grows with identities and with the rules that select them, not with pairs.
"""
