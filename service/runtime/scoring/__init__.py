"""Scoring of archives: every image of a folder tree or a table, on this machine or on Ray."""
