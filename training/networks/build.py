"""Untrained network that an experiment describes."""

import keras

from training.config import Experiment
from training.errors import ConfigError
from training.network_config import Network
from training.networks.backbone import build_backbone
from training.networks.cnn import build_network


def build_untrained(experiment: Experiment) -> keras.Model:
    """Build the network of an experiment with its first weights.

    It maps images [N, height, width, 1] in [0, 1] to probabilities [N, 2] of no cancer and cancer.
    The layer before the softmax is named `logits`.

    Raises:
        ConfigError: the grid is too small for the network.
        RunError: the file of the first weights cannot be used.
    """
    height = experiment.fit.height
    width = experiment.fit.width
    section = experiment.network
    try:
        if isinstance(section, Network):
            return build_network(height, width, section)
        return build_backbone(height, width, section)
    except ValueError as error:
        # The message of Keras depends on the layer. These words are in each.
        if "zero or negative" not in str(error):
            raise
        raise ConfigError(
            f"The maps of {section.kind} have no cells left on a grid of {height} x {width}: "
            "choose a larger one in [fit], or smaller kernels or pools in [network]."
        ) from error
