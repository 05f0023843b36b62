"""Observation of a model's calls, and outputs that an observer replaces."""

from typing import Any

import keras
import numpy as np

from training.introspection.hooks import OperationCall, observed


def doubling() -> Any:
    """Return a network that multiplies by two, and then by three."""
    return keras.Sequential(
        [
            keras.Input((1,)),
            keras.layers.Rescaling(2.0, name="twice"),
            keras.layers.Rescaling(3.0, name="thrice"),
        ]
    )


def replaced(call: OperationCall) -> Any:
    return keras.ops.ones_like(call.output) if call.name == "twice" else None


def test_replaced_output_reaches_the_next_layer() -> None:
    model = doubling()

    with observed(model, replaced):
        output = model(np.full((1, 1), 5.0, np.float32))

    assert float(output[0, 0]) == 3


def test_inner_observer_sees_what_outer_replaced() -> None:
    model = doubling()
    seen = {}

    def look(call: OperationCall) -> None:
        seen[call.name] = float(call.output[0, 0])

    with observed(model, replaced), observed(model, look):
        model(np.full((1, 1), 5.0, np.float32))

    assert seen == {"twice": 1, "thrice": 3}


def test_nested_observations_leave_no_hooks() -> None:
    model = doubling()
    calls: list[OperationCall] = []

    with observed(model, replaced), observed(model, calls.append):
        pass
    output = model(np.full((1, 1), 5.0, np.float32))

    assert float(output[0, 0]) == 30
    assert not calls
    assert not any("call" in vars(layer) for layer in model.layers)
