"""Attacks on a running service, and the figures of other clients meanwhile."""
