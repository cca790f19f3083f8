"""One file, one subcommand: a module that holds a Command."""
