"""This machine: memory, processor cores and network addresses."""
