"""Signatures that are compiled from a network in memory."""

import keras
import numpy as np

from training.introspection.compiled import compiled
from training.introspection.signatures import Signature


def test_outputs_of_bfloat16_become_float32() -> None:
    images = keras.Input((4, 3, 1))
    network = keras.Model(images, keras.layers.Conv2D(2, 1, dtype="mixed_bfloat16")(images))
    inputs = (keras.InputSpec("float32", (None, 4, 3, 1), name="images"),)
    signature = Signature(lambda images: {"maps": network(images)}, inputs)

    outputs = compiled(network, signature, batch=1)(np.ones((1, 4, 3, 1), np.float32))

    assert outputs["maps"].dtype == np.float32
