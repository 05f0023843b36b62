"""The CNN: three convolutions with max-pooling and normalisation, then dense layers.

The dense layers have dropout. The output has two classes.
"""

import keras
import numpy as np

from training.network_config import Network

CONVOLUTIONS = ("conv2d", "conv2d_1", "conv2d_2")
LOGITS = "logits"

# Scale and offset of the input. Tissue is between 0.2 and 0.7 of white. With centred and spread
# values the network separates tissues from the first epochs on. With raw values every filter starts
# as a brightness detector, and a small training set never moves the network away from that.
_CENTRING = (4.0, -1.5)

# Share of white below which the signal fades towards that of air: half of the darkest tissue. The
# fade is continuous. With a step at 0, a faint pixel at the skin would weigh as much as tissue, and
# rounding a picture to 8 bits would change the decision.
_FADE = 0.1

# Momentum of the running mean and variance over batches. An epoch has about 100 batches, of which
# the last 10 dominate.
_MOMENTUM = 0.9
_POOLING = {
    "flatten": keras.layers.Flatten,
    "average": keras.layers.GlobalAveragePooling2D,
    "max": keras.layers.GlobalMaxPooling2D,
}


def build_network(height: int, width: int, size: Network) -> keras.Model:
    """Build an untrained classifier.

    It maps images [N, height, width, 1] in [0, 1] to probabilities [N, 2] of no cancer and cancer.

    The convolutions are unpadded, so no cell of a map sees an edge that is not in the image. Batch
    normalisation makes the loss fall from the start. Without it the loss stays at chance level for
    about ten epochs, and sometimes for the whole training. There is no dropout between
    convolutions: a lesion covers a few cells, and an image without them is a different one.
    """
    inputs = keras.Input((height, width, 1), name="images")
    centred = keras.layers.Rescaling(*_CENTRING)(inputs)

    # The fit sets air to exactly 0, and the presence of tissue keeps it there. If the offset moved
    # it along with the tissue, air would be a signal everywhere, and heat on every map.
    tissue = keras.layers.ReLU(max_value=1.0)(keras.layers.Rescaling(1 / _FADE)(inputs))
    signal = keras.layers.Multiply()([centred, tissue])

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

    # Zero weights: training starts from even odds for every image.
    logits = keras.layers.Dense(2, kernel_initializer="zeros", name=LOGITS)(signal)
    return keras.Model(
        inputs, keras.layers.Activation("softmax", name="probabilities")(logits), name="mammolens"
    )


def logits_model(model: keras.Model) -> keras.Model:
    """Return the network up to its logits [N, 2], with shared weights.

    Logits keep the differences that the softmax rounds away.
    """
    return keras.Model(model.inputs[0], model.get_layer(LOGITS).output)


def seed_random_layers(model: keras.Model, *seed: int) -> None:
    """Seed the layers that draw, such as dropout, so that they depend on these numbers alone."""
    # The only way to the layers inside others.
    layers = [layer for layer in model._flatten_layers() if hasattr(layer, "seed_generator")]  # noqa: SLF001
    for index, layer in enumerate(layers):
        state = np.random.SeedSequence((*seed, index)).generate_state(2)
        layer.seed_generator.state.assign(state)
