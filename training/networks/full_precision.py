"""Conversion of networks between float32 and the mixed precision that they are trained in."""

import keras

from training.networks.cnn import LOGITS

FULL_PRECISION = (LOGITS, "probabilities")
"""Layers that always compute in float32."""


def computing_in_float32(model: keras.Model) -> keras.Model:
    """Let the layers with a mixed policy, such as `mixed_float16`, compute in float32.

    Their weights are float32 already, so nothing is lost. Probabilities agree to the precision of
    the type that the network was trained in. The network is changed in place and returned.
    """
    # The only way to the layers inside others, such as the projections of an attention.
    for layer in model._flatten_layers():  # noqa: SLF001
        if layer.compute_dtype != "float32" and layer.variable_dtype == "float32":
            layer.dtype_policy = "float32"

    return model


def computing_in_bfloat16(model: keras.Model) -> keras.Model:
    """Let the layers from the first with weights on compute in bfloat16, and keep their weights.

    The logits stay in float32: a margin has to be finer than the 8 bits of a bfloat16. So do the
    layers before the first weights, which spread the grey values. The network is changed in place
    and returned.
    """
    weighted = [index for index, layer in enumerate(model.layers) if layer.weights]
    for layer in model.layers[weighted[0] :]:
        if layer.name not in FULL_PRECISION:
            for inner in layer._flatten_layers():  # noqa: SLF001 - the only way to layers inside
                inner.dtype_policy = "mixed_bfloat16"

    return model
