"""Readers of PNG, JPEG and TIFF, each to grey values."""
