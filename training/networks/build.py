"""Untrained network that an experiment describes."""

import keras

from training.config import Experiment
from training.network_config import Network
from training.networks.backbone import build_backbone
from training.networks.cnn import build_network


def build_untrained(experiment: Experiment) -> keras.Model:
    """Build the network of an experiment with its first weights.

    It maps images [N, height, width, 1] in [0, 1] to probabilities [N, 2] of no cancer and cancer.
    The layer before the softmax is named `logits`.

    Raises:
        RunError: the file of the first weights cannot be used.
    """
    height = experiment.fit.height
    width = experiment.fit.width
    if isinstance(experiment.network, Network):
        return build_network(height, width, experiment.network)
    return build_backbone(height, width, experiment.network)
