"""The service beside the model servers that one would otherwise take: the same work, cores and load, in one run."""
