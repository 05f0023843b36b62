"""Experiment files that come with the project."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.support.paths import ROOT
from training.config import Card, Experiment, Fit, Requirements
from training.config_files import load_experiment
from training.evaluation_config import Comparison, Targets
from training.network_config import Backbone, Network
from training.table_config import (
    CrossSplit,
    Data,
    FoldSplit,
    FurtherTable,
    HashSplit,
    RowFilter,
    Section,
)
from training.training_config import Augmentation, Training

EXPERIMENTS = sorted((ROOT / "training" / "experiments").glob("*.toml"))
SECTIONS: Mapping[str, Sequence[type[Section]]] = {
    "data": (Data,),
    "data.further": (FurtherTable,),
    "filter": (RowFilter,),
    "split": (HashSplit, FoldSplit, CrossSplit),
    "fit": (Fit,),
    "network": (Network, Backbone),
    "augmentation": (Augmentation,),
    "training": (Training,),
    "targets": (Targets,),
    "comparison": (Comparison,),
    "scorecard": (Requirements,),
    "bundle": (Card,),
}

TRAINING = {"seed": 1, "patience": 1, "batch_size": 1, "learning_rate": 1e-3}


def keys_by_section(text: str) -> dict[str, set[str]]:
    """Return the keys of an experiment file, those in comments too."""
    keys: dict[str, set[str]] = {}
    section = ""
    for line in text.splitlines():
        if header := re.match(r"(?:# )?\[{1,2}([a-z.]+)\]", line):
            section = header[1]
        elif key := re.match(r"(?:# )?(\w+) = ", line):
            keys.setdefault(section, set()).add(key[1])
    return keys


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_experiment_of_the_project_loads(path: Path) -> None:
    assert load_experiment(path).bundle.limitations


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("network", "cnn", "valid dictionary"),
        ("training", {**TRAINING, "epochs": 2, "warmup_epochs": 2}, "`warmup_epochs` is 2"),
    ],
)
def test_impossible_section_is_named(key: str, value: object, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        Experiment.model_validate({key: value})


def test_demo_mentions_every_key() -> None:
    mentioned = keys_by_section((ROOT / "training/experiments/demo.toml").read_text("utf-8"))

    assert {name.partition(".")[0] for name in SECTIONS} == set(Experiment.model_fields)
    for name, models in SECTIONS.items():
        known = {key for model in models for key in model.model_fields} - {"further"}
        assert mentioned[name] == known, name
