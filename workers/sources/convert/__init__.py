"""From what clusters and archives hold to the words of ``handlers.model``: pure functions, shared by every source."""
