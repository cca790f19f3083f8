"""What changed, held against when packets began to be dropped."""
