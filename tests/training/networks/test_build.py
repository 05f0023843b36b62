from typing import Any

import pytest

from tests.support.paths import ROOT
from training.config_files import load_experiment
from training.errors import ConfigError
from training.network_config import Backbone
from training.networks.build import build_untrained


@pytest.mark.parametrize(
    "network", [{}, {"network": Backbone(kind="densenet121")}], ids=["cnn", "densenet121"]
)
def test_grid_without_cells_is_refused(network: dict[str, Any]) -> None:
    demo = load_experiment(ROOT / "training/experiments/demo.toml")
    small = demo.fit.model_copy(update={"height": 24, "width": 16})

    with pytest.raises(ConfigError, match="24 x 16: choose a larger one"):
        build_untrained(demo.model_copy(update={"fit": small, **network}))
