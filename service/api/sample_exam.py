"""The sample exam: four views of a phantom, for people who have no files at hand."""

from pathlib import Path

_IN_TREE = Path(__file__).parents[2] / "docs" / "sample-exam"
_PACKAGED = Path(__file__).parents[1] / "bundles" / "sample-exam"


def sample_file(name: str) -> bytes:
    """Return one of its files. It comes from the tree, or else from the wheel."""
    folder = _PACKAGED if _PACKAGED.exists() else _IN_TREE
    return (folder / name).read_bytes()
