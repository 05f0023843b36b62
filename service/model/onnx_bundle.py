"""The bundle as onnxruntime runs it: a graph of ONNX for each signature."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from service.errors import GraphsMissing
from service.host.cores import usable_cores
from service.model.bundle import Bundle
from service.model.manifest import graph_file
from service.model.onnx_graph import OnnxGraph, run_errors
from service.model.signature_model import (
    ACTIVATIONS,
    PREDICT,
    SignatureModel,
    check_shapes,
    signatures_of,
)
from service.records import Floats


class OnnxBundle(SignatureModel):
    """An exported model with graphs beside its SavedModel.

    TensorFlow runs the signatures that have no graph, and is imported for them alone.
    """

    engine = "onnxruntime"

    def _open(self, path: Path, threads: int | None) -> None:
        signatures = signatures_of(self.manifest)
        listed = [name for name in signatures if graph_file(name).as_posix() in self.manifest.files]
        if not {PREDICT, ACTIVATIONS} <= set(listed):
            raise GraphsMissing(
                f"Bundle {path} has no graphs for the engine onnx. Make a version that has them "
                "with `python -m training onnx`, or set MAMMOLENS_ENGINE=tensorflow."
            )

        cores = threads or usable_cores()
        graphs = {name: OnnxGraph(path / graph_file(name), cores) for name in listed}
        described = {name: graphs[name].shapes for name in (PREDICT, ACTIVATIONS)}
        check_shapes(described, self.manifest, path)

        self._run_errors = run_errors()
        self._calls: dict[str, Callable[..., dict[str, Floats]]] = {
            name: graph.run for name, graph in graphs.items()
        }
        rest = [name for name in signatures if name not in listed]
        if rest:
            saved_model = Bundle(path, self.manifest, self.digest, threads)
            self._run_errors += saved_model.run_errors
            self._calls |= {name: partial(saved_model.run, name) for name in rest}

    @property
    def run_errors(self) -> tuple[type[Exception], ...]:
        """The errors that onnxruntime raises, and those of TensorFlow if it is used."""
        return self._run_errors

    def run(self, signature: str, **inputs: Any) -> dict[str, Floats]:
        """Call a signature with arrays, and return its outputs as arrays."""
        return self._calls[signature](**inputs)
