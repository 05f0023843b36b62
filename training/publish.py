"""From a measured run, or a foreign Keras model, to a bundle: what `export_bundle` must be told, gathered."""

from pathlib import Path

import keras
import numpy as np

from service.imaging import decode
from service.results import Pixels
from training.config import Card, load_foreign_model
from training.errors import RunError
from training.evaluate import headline
from training.export import export_bundle
from training.phantom import Finding, Kind, render_view
from training.run import Run, read_json

CLASSES = ("no_cancer", "cancer")
_GOLDEN_SEED = 1


def export_run(run: Run, out: Path, *, overwrite: bool) -> Path:
    """The bundle of a run, at `out` = <name>/<version>.

    Raises:
        RunError: if the run was not trained and evaluated, or `out` names no version.
    """
    experiment = run.experiment()
    model = _load_model(run.require(run.best_model, "train"))
    decision = read_json(run.require(run.operating_point, "evaluate"))
    figures = headline(read_json(run.require(run.evaluation, "evaluate")))
    name, version = name_and_version(out)
    return export_bundle(
        model,
        out,
        name=name,
        version=version,
        classes=CLASSES,
        positive_class=CLASSES[1],
        threshold=decision["threshold"],
        threshold_rule=decision["threshold_rule"],
        temperature=decision["temperature"],
        preprocessing=experiment.fit.parameters(),
        golden_pixels=golden_pixels(experiment.bundle),
        layers=None,
        default_layer=experiment.bundle.default_layer,
        training=experiment.bundle.training_data,
        figures=figures,
        intended_use=experiment.bundle.intended_use,
        limitations=experiment.bundle.limitations,
        overwrite=overwrite,
    )


def export_foreign_model(keras_file: Path, description: Path, out: Path, *, overwrite: bool) -> Path:
    """The bundle of any Keras classifier, at `out` = <name>/<version>.

    Raises:
        ConfigError: if `description` does not say what is needed.
        RunError: if the Keras file is missing, or `out` names no version.
    """
    told = load_foreign_model(description)
    name, version = name_and_version(out)
    return export_bundle(
        _load_model(keras_file),
        out,
        name=name,
        version=version,
        **told.decision.model_dump(),
        preprocessing=told.fit.parameters(),
        golden_pixels=golden_pixels(told.bundle),
        layers=told.layers,
        default_layer=told.bundle.default_layer,
        training=told.bundle.training_data,
        figures=told.figures,
        intended_use=told.bundle.intended_use,
        limitations=told.bundle.limitations,
        overwrite=overwrite,
    )


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
    return render_view(rng, findings=(Finding(Kind.SPICULATED_MASS),)).pixels


def _load_model(path: Path) -> keras.Model:
    if not path.is_file():
        raise RunError(f"There is no Keras file {path}.")
    return keras.saving.load_model(path, compile=False)
