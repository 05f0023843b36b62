"""Conversion of a signature of a SavedModel to a graph of ONNX."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from training.export.gradient_ops import HANDLERS

_OPSET = 18


class NotConvertible(Exception):
    """The signature has operations that ONNX lacks. The message names them."""


def convert(signature: Any) -> Any:
    """Return the signature as a model of ONNX, with the names of its inputs and outputs.

    The graph is that of one image, so shapes are constants and the operations that compute them
    fall away. Pixels come as [1, 1, height, width], and so do their gradients: onnxruntime is slow
    where the last axis has the size 1.

    Raises:
        NotConvertible: an operation has no counterpart.
    """
    inputs = signature.structured_input_signature[1]
    frozen = convert_variables_to_constants_v2(
        _for_one_image(signature, inputs), lower_control_flow=False, aggressive_inlining=True
    )

    arguments = [tensor.name for tensor in frozen.inputs]
    results = [tensor.name for tensor in frozen.outputs]
    # TensorFlow flattens a dictionary in sorted order.
    names = dict(zip(results, sorted(signature.structured_outputs), strict=True))
    names |= {argument: argument.partition(":")[0] for argument in arguments}
    pixels = [*inputs["images"].shape[1:]]
    like_pixels = [tensor.name for tensor in frozen.outputs if tensor.shape[1:] == pixels]

    with _quiet_converter():
        from tf2onnx.convert import from_graph_def  # noqa: PLC0415 - it sets up logs

        model, _ = from_graph_def(
            frozen.graph.as_graph_def(),
            name="mammolens",
            input_names=arguments,
            output_names=results,
            opset=_OPSET,
            custom_op_handlers=dict(HANDLERS),
            custom_rewriter=[_without_repeats],
            inputs_as_nchw=[name for name in arguments if names[name] == "images"],
            outputs_as_nchw=like_pixels,
            tensors_to_rename=names,
        )

    _check_operations(model)
    return model


def _for_one_image(signature: Any, inputs: dict[str, Any]) -> Any:
    """Return a function that calls the signature with one image, whose shape is a constant."""
    names = sorted(inputs)
    shapes = {name: [1, *inputs[name].shape[1:]] for name in names}

    def call(*tensors: Any) -> Any:
        # The optimiser does not trust the shapes of inputs.
        return signature(
            **{
                name: tf.ensure_shape(tensor, shapes[name])
                for name, tensor in zip(names, tensors, strict=True)
            }
        )

    specifications = [tf.TensorSpec(shapes[name], inputs[name].dtype, name) for name in names]
    return tf.function(call).get_concrete_function(*specifications)


def _without_repeats(graph: Any, nodes: list[Any]) -> list[Any]:
    """Take out reshapes that undo the new axis before them: images of one channel, repeated once.

    Through them tf2onnx would not carry the order of the axes on.
    """
    for node in nodes:
        expanded = node.inputs[0] if node.type == "Reshape" else None
        if expanded is not None and expanded.type == "ExpandDims":
            before = expanded.input[0]
            if graph.get_shape(before) == graph.get_shape(node.output[0]):
                graph.replace_all_inputs(node.output[0], before)
    return nodes


def _check_operations(model: Any) -> None:
    import onnx  # noqa: PLC0415 - of the extra alone

    operations = {(node.op_type, node.domain) for node in model.graph.node}
    unknown = sorted(name for name, domain in operations if not onnx.defs.has(name, domain))
    if unknown:
        raise NotConvertible(f"no operation of ONNX stands for {', '.join(unknown)}")


@contextmanager
def _quiet_converter() -> Iterator[None]:
    """Keep tf2onnx and TensorFlow from telling what `NotConvertible` tells."""
    loggers = [logging.getLogger(name) for name in ("tf2onnx", "tensorflow")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
