"""The command `scorecard`: a measurement with a bar that can be interrupted."""

import shutil
from pathlib import Path
from typing import Any

import keras
from tqdm import tqdm

from service.model import Manifest
from training.config import ImageSource
from training.scorecard.effort import ScorecardEffort
from training.scorecard.kept_steps import Steps, steps_beside
from training.scorecard.report import ScorecardReport, write_report
from training.scorecard.score import score_experiment


def score_and_write(
    network: keras.Model,
    manifest: Manifest,
    source: ImageSource,
    keras_file: Path,
    out: Path,
    effort: str,
) -> ScorecardReport:
    """Score a network and write the report to `out`. An interrupted call goes on where it stopped.

    The results of its steps lie in a directory beside `out` until the report is written.

    Raises:
        ScorecardError: the experiment's images are not fitted as the network needs them.
        CacheError: the images are not prepared.
    """
    facts = (keras_file.read_bytes(), source.model_dump_json().encode(), effort.encode())
    directory = steps_beside(out, *facts)
    if directory.exists():
        print(f"{directory} holds the first steps of this scorecard: going on from there.")

    bar: tqdm[Any] = tqdm(desc="scorecard", unit="pass")
    with bar:
        steps = Steps(directory, bar)
        report = score_experiment(network, manifest, source, ScorecardEffort(effort).sizes, steps)

    write_report(out, keras_file, report)
    shutil.rmtree(directory)
    return report
