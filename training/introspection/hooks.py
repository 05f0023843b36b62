"""Observation of the inner tensors of a Keras model, by hooking the calls of its operations.

The model is not rebuilt, so nested models need no special case.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import keras


@dataclass(frozen=True, slots=True)
class OperationCall:
    """One call of an operation, with its input and output tensors.

    `name`: the layer's name, "<nested model>/<layer>" inside a nested model.
    """

    name: str
    operation: keras.Operation
    inputs: tuple[Any, ...]
    output: Any


Observer = Callable[[OperationCall], Any]


@contextmanager
def observed(model: keras.Model, observer: Observer) -> Iterator[None]:
    """Call `observer` after each call of an operation of `model`, eager or traced.

    A tensor that the observer returns takes the place of the call's output. None keeps the output.
    Observations can be nested: the inner one sees the outputs that the outer one has put in place.
    """
    with ExitStack() as restore:
        for name, operation in operations(model):
            original = operation.call
            # The hook is an attribute of the instance and hides the method of its class, or the
            # hook of an outer observation.
            if "call" in vars(operation):
                restore.callback(setattr, operation, "call", original)
            else:
                restore.callback(delattr, operation, "call")
            operation.call = _reporting(original, name, operation, observer)

        yield


def operations(model: keras.Model, prefix: str = "") -> Iterator[tuple[str, keras.Operation]]:
    """Yield each operation of a model and its nested models with its name.

    The operation that gives the model's output comes last.
    """
    # A functional model has more operations than layers: `x / 255` is one.
    for child in getattr(model, "operations", model.layers):
        if isinstance(child, keras.Model):
            yield from operations(child, f"{prefix}{child.name}/")
        else:
            yield prefix + child.name, child


def _reporting(
    call: Callable[..., Any],
    name: str,
    operation: keras.Operation,
    observer: Observer,
) -> Callable[..., Any]:
    """Wrap `call` so that each of its calls is reported to the observer."""

    def reporting(*args: Any, **kwargs: Any) -> Any:
        output = call(*args, **kwargs)

        arguments = keras.tree.flatten((args, kwargs))
        inputs = tuple(value for value in arguments if keras.ops.is_tensor(value))
        replacement = observer(OperationCall(name, operation, inputs, output))

        return output if replacement is None else replacement

    return reporting
