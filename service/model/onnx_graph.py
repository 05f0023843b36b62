"""A graph of ONNX, run by onnxruntime. This is the only module that imports it."""

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from service.errors import BundleDamaged, BundleUnloadable
from service.model.signature_model import SignatureShapes
from service.records import Floats

_ERRORS_ONLY = 3
_AXES = 4
_AS_REQUESTED = 1  # the memory grows by what a call needs, and not to the next power of two


class OnnxGraph:
    """One signature as a graph of one image, which is run once for each image of a batch.

    It takes pixels as [1, 1, height, width].
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
        options.add_session_config_entry("session.use_env_allocators", "1")

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
        inputs = {one.name: tuple(one.shape) for one in self._session.get_inputs()}
        self._pixels = inputs.get("images", ())
        if len(self._pixels) != _AXES:
            raise BundleDamaged(f"{file} takes no image. Export the bundle again.")

    @property
    def shapes(self) -> SignatureShapes:
        """The shapes of the signature, as the graph describes them."""
        one, channels, height, width = self._pixels
        last_axes = {output.name: output.shape[-1] for output in self._session.get_outputs()}
        return SignatureShapes((one, height, width, channels), last_axes)

    def run(self, **inputs: np.ndarray) -> dict[str, Floats]:
        """Call the graph with arrays, and return its outputs as arrays."""
        images = len(inputs["images"])
        single = [
            self._run_one({name: array[index : index + 1] for name, array in inputs.items()})
            for index in range(images)
        ]
        if images == 1:
            return single[0]
        return {name: np.concatenate([one[name] for one in single]) for name in self._outputs}

    def _run_one(self, inputs: Mapping[str, np.ndarray]) -> dict[str, Floats]:
        """Call the graph with one image of one channel, whose place among the axes is free."""
        image = inputs["images"]
        arrays = self._session.run(self._outputs, {**inputs, "images": image.reshape(self._pixels)})
        return {
            name: array.reshape(image.shape) if array.shape == self._pixels else array
            for name, array in zip(self._outputs, arrays, strict=True)
        }


def run_errors() -> tuple[type[Exception], ...]:
    """Return the errors that onnxruntime raises. They have no base of their own."""
    state = _onnxruntime().capi.onnxruntime_pybind11_state
    classes = [one for one in vars(state).values() if isinstance(one, type)]
    return tuple(one for one in classes if issubclass(one, Exception))


def _onnxruntime() -> Any:
    """Import onnxruntime and return the package.

    It would send events to its maker, and keep the identity of the device in a file. Its API stops
    only a part of that, and this variable all of it, if it is set before the import.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        import onnxruntime  # noqa: PLC0415 - of the extra alone
    except ImportError as error:
        reason = str(error).partition("\n")[0]
        raise BundleUnloadable(
            f"onnxruntime cannot be imported: {reason}. Install the extra `onnx`, or serve with "
            "MAMMOLENS_ENGINE=tensorflow."
        ) from error

    _set_up(onnxruntime)
    return onnxruntime


@cache
def _set_up(runtime: Any) -> None:
    """Set up the package once: let all graphs of the process share the memory of their calls."""
    # The search for other devices warns of each that is not there.
    runtime.set_default_logger_severity(_ERRORS_ONLY)

    place = runtime.OrtMemoryInfo(
        "Cpu", runtime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, runtime.OrtMemType.DEFAULT
    )
    growth = {"max_mem": 0, "arena_extend_strategy": _AS_REQUESTED}
    growth |= {"initial_chunk_size_bytes": -1, "max_dead_bytes_per_chunk": -1}
    runtime.create_and_register_allocator(place, runtime.OrtArenaCfg(growth))
