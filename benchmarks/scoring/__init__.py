"""Measurements of `mammolens score`: speed, memory, large tables, and kills."""
