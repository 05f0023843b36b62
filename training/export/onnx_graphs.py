"""Graphs of ONNX beside a SavedModel, each compared with the signature that it stands for."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from service.errors import BundleDamaged
from service.model import GoldenCase, Manifest, graph_file
from service.model.onnx_graph import OnnxGraph
from service.records import Floats
from training.export.graph_conversion import NotConvertible, convert

_TOLERANCE = 1e-4  # of the norm of an output
# Rounding moves single activations of a deep network across the kink of their ReLU. In TensorFlow
# alone, noise of 1e-6 of the pixels moves the gradients of EfficientNet-Lite0 by 1e-2 of the norm.
_GRADIENT_TOLERANCE = 5e-2
_GRADIENTS = "gradients"
_IMAGES = 2


@dataclass(frozen=True, slots=True)
class GraphOutcome:
    """A signature, and why it has no graph, or None if it has one."""

    signature: str
    left_out: str | None

    def __str__(self) -> str:
        if self.left_out is None:
            return str(graph_file(self.signature))
        return f"{graph_file(self.signature)} left out, TensorFlow runs it: {self.left_out}"


def write_graphs(bundle: Path, manifest: Manifest) -> Iterator[GraphOutcome]:
    """Write a graph for each signature of a bundle that has its golden case, and yield outcomes.

    A graph is kept if onnxruntime reproduces with it what TensorFlow answers for the golden image
    and its mirror image.
    """
    image = GoldenCase.load(bundle).image
    # A second image shows a graph that mixes up the images of a batch.
    images = np.stack([image, image[::-1]])
    classes = np.resize(np.arange(len(manifest.classes), dtype=np.int32), _IMAGES)

    saved_model = tf.saved_model.load(str(bundle))
    (bundle / graph_file("any")).parent.mkdir()
    for name, signature in saved_model.signatures.items():
        inputs = {"images": images, "class_index": classes}
        expected = {name: inputs[name] for name in signature.structured_input_signature[1]}
        yield GraphOutcome(name, _write(signature, bundle / graph_file(name), expected))


def _write(signature: Any, file: Path, inputs: dict[str, Floats]) -> str | None:
    """Write a graph and return None, or leave it out and return why."""
    try:
        content = convert(signature).SerializeToString()
        file.write_bytes(content)
        answers = OnnxGraph(file, threads=1).run(**inputs)
    except (NotConvertible, BundleDamaged) as error:
        file.unlink(missing_ok=True)
        return str(error)

    outputs = signature(**{name: tf.constant(array) for name, array in inputs.items()})
    for name, expected in outputs.items():
        difference = _difference(answers[name], expected.numpy())
        tolerance = _GRADIENT_TOLERANCE if name == _GRADIENTS else _TOLERANCE
        if not difference <= tolerance:  # so is NaN
            file.unlink()
            return f"its {name} differ from TensorFlow's by {difference:.1g} of their norm"
    return None


def _difference(answer: Floats, expected: Floats) -> float:
    """Return the norm of the difference as a share of the norm of the expected values."""
    norm = float(np.linalg.norm(expected.astype(np.float64)))
    difference = float(np.linalg.norm(answer.astype(np.float64) - expected))
    return difference / norm if norm else difference
