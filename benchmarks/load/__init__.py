"""Load benchmark: the service and other model servers under the same work and load, in one run."""
