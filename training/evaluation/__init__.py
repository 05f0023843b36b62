"""Evaluation of a trained network: discrimination, calibration and localisation."""
