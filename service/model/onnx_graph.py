"""A graph of ONNX, run by onnxruntime. This is the only module that imports it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from service.errors import BundleDamaged, BundleUnloadable
from service.model.signature_model import SignatureShapes
from service.records import Floats

_ERRORS_ONLY = 3


class OnnxGraph:
    """One signature as a graph.

    A graph with gradients takes one image, and is run once for each image of a batch.
    """

    def __init__(self, file: Path, threads: int) -> None:
        """Load the graph.

        Raises:
            BundleUnloadable: onnxruntime is not installed, or cannot be imported.
            BundleDamaged: it cannot load the file.
        """
        runtime = _onnxruntime()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = _ERRORS_ONLY
        # Threads that wait for the next call would take the cores from readers.
        options.add_session_config_entry("session.force_spinning_stop", "1")

        try:
            self._session = runtime.InferenceSession(
                str(file), options, providers=["CPUExecutionProvider"]
            )
        except run_errors() as error:
            raise BundleDamaged(
                f"onnxruntime {runtime.__version__} cannot load {file}: {type(error).__name__}. "
                "Export the bundle again with this version."
            ) from error

        self._outputs = [output.name for output in self._session.get_outputs()]
        images = next(one for one in self._session.get_inputs() if one.name == "images")
        self._is_for_one_image = images.shape[0] == 1

    @property
    def shapes(self) -> SignatureShapes:
        """The shapes of the graph, as the file describes them."""
        inputs = {one.name: one.shape for one in self._session.get_inputs()}
        outputs = {one.name: one.shape[-1] for one in self._session.get_outputs()}
        return SignatureShapes(
            tuple(map(_size, inputs["images"])),
            {name: _size(last) for name, last in outputs.items()},
        )

    def run(self, **inputs: np.ndarray) -> dict[str, Floats]:
        """Call the graph with arrays, and return its outputs as arrays."""
        count = len(inputs["images"])
        if not self._is_for_one_image or count == 1:
            return self._call(inputs)

        single = [
            self._call({name: array[index : index + 1] for name, array in inputs.items()})
            for index in range(count)
        ]
        return {name: np.concatenate([one[name] for one in single]) for name in self._outputs}

    def _call(self, inputs: Mapping[str, np.ndarray]) -> dict[str, Floats]:
        arrays = self._session.run(self._outputs, inputs)
        return dict(zip(self._outputs, arrays, strict=True))


def run_errors() -> tuple[type[Exception], ...]:
    """Return the errors that onnxruntime raises. They have no base of their own."""
    state = _onnxruntime().capi.onnxruntime_pybind11_state
    classes = [one for one in vars(state).values() if isinstance(one, type)]
    return tuple(one for one in classes if issubclass(one, Exception))


def _onnxruntime() -> Any:
    """Import onnxruntime and return the package."""
    try:
        import onnxruntime  # noqa: PLC0415 - of the extra alone
    except ImportError as error:
        reason = str(error).partition("\n")[0]
        raise BundleUnloadable(
            f"onnxruntime cannot be imported: {reason}. Install the extra `onnx`, or serve with "
            "MAMMOLENS_ENGINE=tensorflow."
        ) from error

    # The search for other devices warns of each that is not there.
    onnxruntime.set_default_logger_severity(_ERRORS_ONLY)
    return onnxruntime


def _size(axis: int | str | None) -> int | None:
    """Return the size of an axis, or None if it has a name instead."""
    return axis if isinstance(axis, int) else None
