"""Paths of the project."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "docs" / "sample.dcm"
SAMPLE_FOLDER = ROOT / "docs" / "sample-exam"
DEMO = ROOT / "models" / "demo" / "1"
