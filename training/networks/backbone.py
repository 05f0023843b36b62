"""Network of a known backbone and a new head."""

import keras

from training.network_config import Backbone
from training.networks.applications import build_application
from training.networks.efficientnet_lite import build_lite0
from training.networks.first_weights import load_first_weights, trunk_of_file
from training.networks.head import with_head
from training.networks.trunk import build_trunk


def build_backbone(height: int, width: int, section: Backbone) -> keras.Model:
    """Build a classifier of a backbone with its first weights, and an untrained head.

    It maps images [N, height, width, 1] in [0, 1] to probabilities [N, 2] of no cancer and cancer.
    The scale that the backbone was made for is inside it. No layer is a network of its own.

    Raises:
        WeightsError: the file of the first weights does not fit the network.
        RunError: it cannot be loaded.
    """
    return with_head(_backbone(height, width, section), section)


def _backbone(height: int, width: int, section: Backbone) -> keras.Model:
    """Return the trunk [N, height, width, 1] -> [N, h, w, c] with its first weights."""
    if section.kind == "file" and section.init is not None:
        return trunk_of_file(section.init, height, width)

    if section.kind == "efficientnet-lite0":
        backbone = build_lite0(height, width)
    else:
        backbone = build_application(section.kind, height, width)
    if section.init is not None:
        load_first_weights(backbone, section.init)

    if any(isinstance(layer, keras.Model) for layer in backbone.layers):
        return build_trunk(backbone, height, width)
    return backbone
