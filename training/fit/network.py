"""The network: three convolutions with max-pooling and normalisation, dense layers with dropout, two classes."""

import keras
import numpy as np

from training.config import Network

CONVOLUTIONS = ("conv2d", "conv2d_1", "conv2d_2")
LOGITS = "logits"
# Tissue is between 0.2 and 0.7 of white. Centred and spread, it is told apart from the first epochs on; as it comes,
# every filter begins as a brightness detector, and a small training set never gets the network away from there. The
# air, which the fit makes exactly 0, stays 0: moved along with the tissue it would be a signal everywhere, and heat on
# every map.
_CENTRED = (4.0, -1.5)
# Of the running mean and variance, over batches: an epoch has about a hundred, and their last ten count.
_MOMENTUM = 0.9
_POOLING = {
    "flatten": keras.layers.Flatten,
    "average": keras.layers.GlobalAveragePooling2D,
    "max": keras.layers.GlobalMaxPooling2D,
}


def build_network(height: int, width: int, size: Network) -> keras.Model:
    """An untrained classifier from images [N, height, width, 1] in [0, 1] to probabilities [N, 2]: no cancer, cancer.

    The convolutions are unpadded, so no cell of a map sees an edge that is not in the image. Batch normalisation lets
    training set out at once: without it the loss stays at chance for some ten epochs, and at times for ever. No value
    is dropped between convolutions: a lesion is a few cells, and without them the image is another one.
    """
    inputs = keras.Input((height, width, 1), name="images")
    signal = keras.layers.Multiply()(
        [keras.layers.Rescaling(*_CENTRED)(inputs), keras.ops.sign(inputs)]
    )
    for name, filters in zip(CONVOLUTIONS, size.filters, strict=True):
        signal = keras.layers.Conv2D(
            filters, size.kernel_size, activation="relu", kernel_initializer="he_normal", name=name
        )(signal)
        signal = keras.layers.MaxPooling2D(size.pool_size)(signal)
        signal = keras.layers.BatchNormalization(momentum=_MOMENTUM)(signal)
    signal = _POOLING[size.pooling]()(signal)
    for units in size.dense:
        signal = keras.layers.Dense(units, activation="relu", kernel_initializer="he_normal")(
            signal
        )
        signal = keras.layers.Dropout(size.dropout)(signal)
    logits = keras.layers.Dense(2, kernel_initializer="zeros", name=LOGITS)(signal)
    return keras.Model(
        inputs, keras.layers.Activation("softmax", name="probabilities")(logits), name="mammolens"
    )


def logits_model(model: keras.Model) -> keras.Model:
    """The same network, weights shared, up to its logits [N, 2]: they keep what the softmax rounds away."""
    return keras.Model(model.inputs[0], model.get_layer(LOGITS).output)


def seed_dropout(model: keras.Model, *seed: int) -> None:
    """Makes what the dropout layers will drop depend on these numbers alone."""
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    for place, layer in enumerate(layers):
        layer.seed_generator.state.assign(np.random.SeedSequence((*seed, place)).generate_state(2))


def restore_prevalence(model: keras.Model, prevalence: float) -> None:
    """Makes the model, trained on balanced classes, speak of classes in which cancer has this prevalence.

    Training on balanced draws takes the prevalence out of the log-odds; here it goes into the last bias. King and Zeng,
    "Logistic regression in rare events data", Political Analysis 9, 2001, eq. 7.
    """
    layer = model.get_layer(LOGITS)
    kernel, bias = layer.get_weights()
    layer.set_weights([kernel, bias + np.log([1 - prevalence, prevalence])])
