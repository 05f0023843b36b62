"""Logs, the audit, metrics and the timing of steps."""
