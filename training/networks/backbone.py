"""Network of a known backbone and a new head."""

import keras

from training.network_config import Backbone


def build_backbone(height: int, width: int, section: Backbone) -> keras.Model:
    """Build the network."""
    raise NotImplementedError(height, width, section)
