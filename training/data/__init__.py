"""Data of an experiment: table, split, cache of fitted images, and training batches."""
