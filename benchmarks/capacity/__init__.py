"""A capacity plan: processor time by step, a simulation of the service, and both compared."""
