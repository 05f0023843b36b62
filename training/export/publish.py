"""From a measured run, or a foreign Keras model, to a bundle: what `export_bundle` must be told, gathered."""

from pathlib import Path

import keras
import numpy as np

from service.imaging import decode
from service.model import Manifest
from service.records import Pixels
from training.config import Card, load_foreign_model
from training.errors import RunError
from training.evaluation.evaluate import headline
from training.export.bundle_writer import export_bundle
from training.fit.run import Run, read_json
from training.introspection.description import describe_model
from training.introspection.own_model import Choice, describe_own_model
from training.phantoms import Finding, FindingKind, render_view
from training.scorecard.report import check_scorecard, read_report

_GOLDEN_SEED = 1


def export_run(run: Run, out: Path, *, overwrite: bool, require_scorecard: bool) -> Path:
    """The bundle of a run, at `out` = <name>/<version>, with its scorecard if it has one.

    Raises:
        RunError: if the run was not trained and evaluated, or `out` names no version.
        ScorecardError: if a scorecard is required and the run has none, or failed it.
    """
    report = read_report(run.scorecard, run.best_model)
    if require_scorecard:
        check_scorecard(report)
    model, manifest = describe_run(run, *name_and_version(out))
    pixels = golden_pixels(run.experiment().bundle)
    return export_bundle(
        model, out, manifest, golden_pixels=pixels, report=report, overwrite=overwrite
    )


def describe_run(run: Run, name: str = "unnamed", version: int = 1) -> tuple[keras.Model, Manifest]:
    """The network of a measured run, and the manifest of its bundle.

    Raises:
        RunError: if the run was not trained and evaluated.
    """
    model = _load_model(run.require(run.best_model, "train"))
    choice = Choice(**read_json(run.require(run.operating_point, "evaluate")))
    figures = headline(read_json(run.require(run.evaluation, "evaluate")))
    manifest = describe_own_model(
        model, run.experiment(), choice, figures=figures, name=name, version=version
    )
    return model, manifest


def export_foreign_model(
    keras_file: Path,
    description: Path,
    out: Path,
    *,
    scorecard: Path | None,
    overwrite: bool,
    require_scorecard: bool,
) -> Path:
    """The bundle of any Keras classifier, at `out` = <name>/<version>, with the scorecard in that file.

    Raises:
        ConfigError: if `description` does not say what is needed.
        RunError: if the Keras file is missing, or `out` names no version.
        ScorecardError: if a scorecard is required and there is none, or it was failed.
    """
    report = None if scorecard is None else read_report(scorecard, keras_file)
    if require_scorecard:
        check_scorecard(report)
    model, manifest = describe_foreign_model(keras_file, description, *name_and_version(out))
    pixels = golden_pixels(load_foreign_model(description).bundle)
    return export_bundle(
        model, out, manifest, golden_pixels=pixels, report=report, overwrite=overwrite
    )


def describe_foreign_model(
    keras_file: Path, description: Path, name: str = "unnamed", version: int = 1
) -> tuple[keras.Model, Manifest]:
    """Any Keras classifier, and the manifest of its bundle.

    Raises:
        ConfigError: if `description` does not say what is needed.
        RunError: if the Keras file is missing.
    """
    told = load_foreign_model(description)
    model = _load_model(keras_file)
    manifest = describe_model(
        model,
        name=name,
        version=version,
        **told.decision.model_dump(),
        preprocessing=told.fit.parameters(),
        layers=told.layers,
        default_layer=told.bundle.default_layer,
        training=told.bundle.training_data,
        figures=told.figures,
        intended_use=told.bundle.intended_use,
        limitations=told.bundle.limitations,
    )
    return model, manifest


def name_and_version(out: Path) -> tuple[str, int]:
    """The last two parts of a bundle's directory.

    Raises:
        RunError: if they are not a name and a whole number from 1 on.
    """
    name, version = out.resolve().parts[-2:]
    if not version.isdecimal() or int(version) < 1:
        raise RunError(f"{out} does not end in <name>/<version>, as in models/demo/1.")
    return name, int(version)


def golden_pixels(card: Card) -> Pixels:
    """The source pixels of the self-test: the image the card names, or a rendered cancer, which is nobody's."""
    if card.golden_image is not None:
        return decode(card.golden_image.read_bytes()).pixels
    rng = np.random.default_rng(_GOLDEN_SEED)
    return render_view(rng, findings=(Finding(FindingKind.SPICULATED_MASS),)).pixels


def _load_model(path: Path) -> keras.Model:
    if not path.is_file():
        raise RunError(f"There is no Keras file {path}.")
    return keras.saving.load_model(path, compile=False)
