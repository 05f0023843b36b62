"""Measures the page /viewer in Chromium."""
