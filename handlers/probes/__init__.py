"""One file, one claim: a module that holds a Probe."""
