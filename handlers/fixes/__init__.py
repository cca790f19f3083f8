"""Whether what stopped a connection was mended: a report before held against one after."""
