"""Conversion of networks that were trained in mixed precision to float32."""

import keras


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
