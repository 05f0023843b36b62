"""The service: loads a model bundle at startup and answers with explained predictions."""

__version__ = "0.2.0"
