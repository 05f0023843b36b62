"""Cross-validation: a network for each fold, and figures of all folds together.

Every image is judged by a network that was neither fitted to it nor chosen on it. The networks
become one ensemble.
"""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from scipy.special import logit

from service.model import Level
from training.config import Experiment, Fit
from training.config_files import load_experiment
from training.data.rotation import rotate
from training.data.table import load_records
from training.errors import ConfigError, RunError
from training.evaluation.choice import Population, choose_levels
from training.evaluation.evaluate import evaluate
from training.evaluation.measured_run import measure_and_write
from training.evaluation.predictions import Predictions, join, read_predictions
from training.fit.ensemble import Member, merge
from training.fit.progress import duration
from training.fit.run import Run, read_json, write_json
from training.fit.start import open_data, start
from training.introspection.own_model import Choice, read_choice
from training.network_config import Network
from training.table_config import CrossSplit


def cross_validate(
    run: Run, experiment_file: Path, *, workers: int = 1, pictures: bool = True
) -> dict[str, Any]:
    """Train and evaluate a network for each fold, pool their predictions, and merge the networks.

    Every round is an ordinary run in the directory `run.round(fold)`. An interrupted call goes on
    where it stopped. `workers`: threads that read images ahead. `pictures`: draw the epochs of each
    round. Returns the document that is written to `run.evaluation`.

    Raises:
        ConfigError: the experiment's split is no cross-validation.
        RunError: the directory belongs to another experiment, a round failed, or the rounds have
            other data than one another.
    """
    experiment = load_experiment(experiment_file)
    if not isinstance(experiment.split, CrossSplit):
        raise ConfigError(
            f'{experiment_file} is no cross-validation: set `by = "cross-validation"` and `folds` '
            "in [split]."
        )

    # All rounds begin before the first is trained, so that they have the same table and images.
    run.begin(experiment_file)
    splits = rotate(load_records(experiment), experiment.split)
    rounds = {name: run.round(name) for name in splits}
    for name, one in rounds.items():
        start(one, experiment_file, splits[name])

    complete = {name for name, one in rounds.items() if one.evaluation.exists()}
    seconds: list[float] = []
    for number, (name, one) in enumerate(rounds.items(), start=1):
        left = len(rounds) - len(complete) - len(seconds)
        print(f"round {number} of {len(rounds)}: {_round_line(name, left, seconds)}", flush=True)
        since = time.monotonic()
        if name not in complete:
            _train(one, experiment_file, workers, pictures=pictures)
        evaluate(one, experiment, open_data(one, experiment))
        if name not in complete:
            seconds.append(time.monotonic() - since)

    return pool(run, experiment, rounds)


def pool(run: Run, experiment: Experiment, rounds: Mapping[str, Run]) -> dict[str, Any]:
    """Measure the predictions of all test parts together, and write the ensemble.

    The decisions that are measured are those of each round's own thresholds, which were chosen
    without its test part. The thresholds of the ensemble are chosen on all predictions.
    """
    records = load_records(experiment)
    choices = {name: read_choice(one.operating_point) for name, one in rounds.items()}
    parts = [read_predictions(one.predictions(Level.IMAGE), records) for one in rounds.values()]
    levels_of = {
        record.patient_id: choice.levels
        for part, choice in zip(parts, choices.values(), strict=True)
        for record in part.records
    }

    provenances = {name: read_json(one.provenance) for name, one in rounds.items()}
    _require_same_table(run, provenances)
    write_json(run.provenance, {"rounds": provenances})
    if isinstance(experiment.network, Network):
        _write_ensemble(run, experiment.fit, experiment.network, rounds, choices)

    predictions = join(parts)
    choice = _choose_for_ensemble(experiment, predictions, list(choices.values()))
    return measure_and_write(run, experiment, predictions, choice, levels_of=levels_of.__getitem__)


def _require_same_table(run: Run, provenances: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise RunError unless all rounds began with the same tables."""
    tables = [facts["data"]["tables"] for facts in provenances.values()]
    if any(one != tables[0] for one in tables):
        raise RunError(
            f"The rounds of {run.directory} began with different tables: begin another run with "
            "--run."
        )


def _choose_for_ensemble(
    experiment: Experiment, predictions: Predictions, choices: Sequence[Choice]
) -> Choice:
    """Choose the thresholds of the ensemble on the predictions of all test parts.

    The members are calibrated before they are averaged, so the ensemble has no temperature.
    """
    deployment = float(np.mean([choice.deployment_prevalence for choice in choices]))
    population = Population(
        float(np.mean([record.cancer for record in predictions.records])), deployment
    )
    return Choice(
        temperature=1.0,
        offset=float(logit(deployment)),
        data_prevalence=population.data,
        deployment_prevalence=deployment,
        levels=choose_levels(
            predictions.records, predictions.probabilities, experiment.targets, population
        ),
    )


def _write_ensemble(
    run: Run, fit: Fit, size: Network, rounds: Mapping[str, Run], choices: Mapping[str, Choice]
) -> None:
    """Write the ensemble of all rounds, whose networks are CNNs, as the network of the run."""
    members = [
        Member(
            keras.saving.load_model(one.best_model, compile=False),
            choices[name].temperature,
            # The ensemble adds the prevalence once, after the mean.
            choices[name].offset - float(logit(choices[name].deployment_prevalence)),
        )
        for name, one in rounds.items()
    ]
    merge(members, fit, size).save(run.best_model)


def _round_line(fold: str, left: int, seconds: Sequence[float]) -> str:
    """Return the fold of a round, and the time that all rounds which are left take.

    `left`: rounds that are not complete, with this one. `seconds`: of the rounds so far, as
    measured. A round that was complete before was not measured.
    """
    line = f"fold {fold} is the test part"
    if not seconds or not left:
        return line

    rest = duration(left * float(np.mean(seconds)))
    return f"{line}, about {rest} left for {left} round{'s' if left > 1 else ''}"


def _train(run: Run, experiment_file: Path, workers: int, *, pictures: bool) -> None:
    """Train the network of a round in a process of its own.

    What TensorFlow did before in a process changes the last bits of a loss, so a round that is
    resumed would end with other figures.
    """
    arguments = (
        *("train", str(experiment_file)),
        *("--run", str(run.directory)),
        *("--workers", str(workers)),
        *(() if pictures else ("--no-pictures",)),
    )
    outcome = subprocess.run([sys.executable, "-m", "training", *arguments], check=False)  # noqa: S603
    if outcome.returncode != 0:
        raise RunError(f"`{' '.join(arguments)}` failed: see its message above.")
