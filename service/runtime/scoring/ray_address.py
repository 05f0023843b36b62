"""Addresses of Ray clusters, without Ray."""

AUTO = "auto"
"""In place of an address: a cluster of this machine, which is started if there is none."""
