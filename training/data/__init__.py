"""The data: the table, its split, the cache of fitted images, and training batches."""
