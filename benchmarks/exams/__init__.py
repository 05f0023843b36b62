"""Benchmarks of exams: decisions, time and memory of `/exam` and of objects for archives."""
