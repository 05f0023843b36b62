"""The inner tensors of a Keras model, seen as its operations are called.

Nothing is rebuilt, so nested models need no special case.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import keras


@dataclass(frozen=True, slots=True)
class OperationCall:
    """One operation at work: its `name`, "<nested model>/<layer>" inside a nested model, and the tensors it met."""

    name: str
    operation: keras.Operation
    inputs: tuple[Any, ...]
    output: Any


@contextmanager
def observed(model: keras.Model, observer: Callable[[OperationCall], None]) -> Iterator[None]:
    """While the context lasts, `observer` is told of every call of an operation of `model`, eager or traced."""
    with ExitStack() as restore:
        for name, operation in operations(model):
            original = operation.call
            operation.call = _reporting(original, name, operation, observer)
            restore.callback(delattr, operation, "call")
        yield


def operations(model: keras.Model, prefix: str = "") -> Iterator[tuple[str, keras.Operation]]:
    """Every operation of a model and its nested models with its name, the one that gives the output last."""
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
    observer: Callable[[OperationCall], None],
) -> Callable[..., Any]:
    def reporting(*args: Any, **kwargs: Any) -> Any:
        output = call(*args, **kwargs)
        inputs = tuple(
            each for each in keras.tree.flatten((args, kwargs)) if keras.ops.is_tensor(each)
        )
        observer(OperationCall(name, operation, inputs, output))
        return output

    return reporting
