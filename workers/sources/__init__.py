"""Where facts are read: a live cluster, a sysdump, a recording. Importing this package imports no client."""
