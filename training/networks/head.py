"""Head of a backbone: a pooling, a dropout, and the classes."""

import keras

from training.network_config import Backbone
from training.networks.cnn import LOGITS

_POOLED = "pooling"
_DROPOUT = "head_dropout"
_PROBABILITIES = "probabilities"

HEAD = (_POOLED, _DROPOUT, LOGITS, _PROBABILITIES)
"""Names of the layers of the head, from the maps on."""

_POOLING = {
    "average": keras.layers.GlobalAveragePooling2D,
    "max": keras.layers.GlobalMaxPooling2D,
}


def with_head(backbone: keras.Model, section: Backbone) -> keras.Model:
    """Return the classifier of a backbone, whose output is its last maps, with an untrained head.

    It has two classes. The layers of the backbone are shared.
    """
    pooled = _POOLING[section.pooling](name=_POOLED)(backbone.output)
    kept = keras.layers.Dropout(section.dropout, name=_DROPOUT)(pooled)

    # Zero weights: training starts from even odds for every image.
    logits = keras.layers.Dense(2, kernel_initializer="zeros", name=LOGITS)(kept)
    probabilities = keras.layers.Activation("softmax", name=_PROBABILITIES)(logits)
    return keras.Model(backbone.input, probabilities, name="mammolens")
