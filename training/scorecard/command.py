"""The command `scorecard`: a measurement with a bar that can be interrupted."""

import shutil
from pathlib import Path

import keras

from service.model import Manifest
from training.bars import bar
from training.config import ImageSource
from training.errors import RunError
from training.introspection.live_model import LiveModel
from training.scorecard.effort import ScorecardEffort
from training.scorecard.kept_steps import Steps, steps_beside
from training.scorecard.report import ScorecardReport, write_report
from training.scorecard.score import Parts, score_model


def score_and_write(  # noqa: PLR0913 - a network, its images, and where the report goes
    network: keras.Model,
    manifest: Manifest,
    source: ImageSource,
    parts: Parts,
    *,
    keras_file: Path,
    out: Path,
    effort: str,
) -> ScorecardReport:
    """Score a network and write the report to `out`. An interrupted call goes on where it stopped.

    `parts`: training and validation images of the experiment. The results of its steps lie in a
    directory beside `out` until the report is written.

    Raises:
        RunError: `out` is a directory.
    """
    if out.is_dir():
        raise RunError(f"{out} is a directory: name the JSON file to write with --out.")

    facts = (
        keras_file.read_bytes(),
        source.model_dump_json().encode(),
        f"{parts.train.digest} {parts.validation.digest} {effort}".encode(),
    )
    directory = steps_beside(out, *facts)
    if directory.exists():
        print(f"{directory} holds the first steps of this scorecard: going on from there.")

    model = LiveModel(network, manifest)
    sizes = ScorecardEffort(effort).sizes
    shown = bar(None, "scorecard", unit="pass", leave=True)
    with shown:
        report = score_model(model, parts, sizes, source.scorecard, Steps(directory, shown))

    write_report(out, keras_file, report)
    shutil.rmtree(directory)
    return report
