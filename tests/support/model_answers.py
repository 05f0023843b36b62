"""Every array that a model of the small bundle computes, and its bundles with other files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from service.model import MANIFEST_FILE, Model, checksums

IMAGES = np.random.default_rng(5).random((5, 96, 72, 1), np.float32)
CLASSES = np.array([1, 0, 1, 1, 0], np.int32)


def answers(model: Model, images: Any, classes: Any) -> dict[str, Any]:
    """Return every array that a model computes, by name."""
    scores = model.predict(images)
    arrays = {
        "probabilities": scores.probabilities,
        "logits": scores.logits,
        "features": scores.features,
    }
    arrays |= {f"activations of {name}": maps for name, maps in model.activations(images).items()}
    arrays["input gradients"] = model.input_gradients(images, classes)

    for layer in model.manifest.layers:
        explained = model.layer_gradients(layer.name, images, classes)
        arrays[f"maps of {layer.name}"] = explained.maps
        arrays[f"gradients of {layer.name}"] = explained.gradients
        arrays[f"probabilities beside {layer.name}"] = explained.scores.probabilities
        arrays[f"features beside {layer.name}"] = explained.scores.features

    return arrays


def rewrite_manifest(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the manifest, and update its checksums to those of the files."""
    manifest = json.loads((path / MANIFEST_FILE).read_text())
    change(manifest)
    manifest["files"] = checksums(path)
    (path / MANIFEST_FILE).write_text(json.dumps(manifest))
