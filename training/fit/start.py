"""Begin a run, or open the data of one that was begun.

A run keeps its split and the digests of its data. Every later step reads the split back and refuses
data that has changed.
"""

from datetime import UTC, datetime
from pathlib import Path

from training.config import Experiment
from training.config_files import load_experiment
from training.data.prepared import PreparedSplit, open_split
from training.data.split import Split, split_records
from training.data.split_file import format_split, read_split
from training.data.table import load_records
from training.errors import RunError
from training.fit.run import Run, read_json, write_json, write_text
from training.fit.run_facts import (
    code_facts,
    first_weights,
    image_facts,
    machine_facts,
    require_same_data,
    table_facts,
)


def start(run: Run, experiment_file: Path, split: Split | None = None) -> PreparedSplit:
    """Begin a run, or check that it can go on, and return its images.

    `split`: that of a round of a cross-validation. By default, the experiment's own.

    Raises:
        RunError: the directory belongs to another experiment, code or state of the data, or to an
            earlier version.
        ConfigError: the experiment is a cross-validation, and no split is given.
    """
    experiment = load_experiment(experiment_file)
    if run.provenance.exists():
        run.begin(experiment_file)
        _require_same_first_weights(run, experiment)
        return open_data(run, experiment)

    # An experiment that cannot be split leaves no directory.
    split = split or split_records(load_records(experiment), experiment.split)
    weights = first_weights(experiment)
    run.begin(experiment_file)
    _require_no_training(run)
    write_text(run.split, format_split(split))

    # The provenance comes last: a run with it is complete enough to go on.
    prepared = open_split(split, experiment)
    write_json(
        run.provenance,
        {
            "began": datetime.now(UTC).isoformat(timespec="seconds"),
            "data": table_facts(experiment, split) | image_facts(prepared),
            "code": code_facts(),
            "machine": machine_facts(),
            "seeds": {"training": experiment.training.seed, **_split_seed(experiment)},
            "first_weights": weights,
        },
    )
    return prepared


def open_data(run: Run, experiment: Experiment) -> PreparedSplit:
    """Open the images of a run, with the split that it began with.

    Raises:
        RunError: the run was not begun, it is a cross-validation, or its table, split or images
            have changed since.
    """
    if not run.provenance.exists():
        _require_no_training(run)
    facts = read_json(run.require(run.provenance, "train"))
    if "rounds" in facts:
        raise RunError(
            f"{run.directory} is a cross-validation, of which no image is left to test on: name "
            f"one of its rounds, such as {run.round(next(iter(facts['rounds']))).directory}."
        )

    # The table comes first: with another one, images may seem to be missing.
    split = read_split(run.split, load_records(experiment))
    require_same_data(run.directory, facts["data"], table_facts(experiment, split))

    prepared = open_split(split, experiment)
    require_same_data(run.directory, facts["data"], image_facts(prepared))
    return prepared


def _require_same_first_weights(run: Run, experiment: Experiment) -> None:
    """Check that the file of the first weights is the one that the run began with.

    Raises:
        RunError: it is another one, or missing.
    """
    if first_weights(experiment) != read_json(run.provenance).get("first_weights"):
        raise RunError(
            f"The first weights of {run.directory} have changed since it began: restore their "
            "file, or begin another run with --run."
        )


def _require_no_training(run: Run) -> None:
    """Check that a run without provenance has not begun to train.

    Raises:
        RunError: it has. The data of its first epochs are not known.
    """
    if run.history.exists() or run.best_model.exists():
        raise RunError(
            f"{run.directory} was trained by an earlier version, which kept no record of its "
            "data: begin another run with --run."
        )


def _split_seed(experiment: Experiment) -> dict[str, int]:
    """Return the seed of a split that is drawn."""
    seed = getattr(experiment.split, "seed", None)
    return {} if seed is None else {"split": seed}
