"""Requests, negotiation, schemas, problems; knows neither TensorFlow nor pixels."""
