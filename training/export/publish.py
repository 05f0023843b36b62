"""Export of a measured run, or of a foreign Keras model, as a bundle."""

from pathlib import Path

import keras
import numpy as np

from service.errors import ImageError
from service.imaging import decode, fit
from service.model import Manifest
from service.records import FitParameters, Pixels
from training.config import Card
from training.config_files import load_foreign_model
from training.errors import ExportError, RunError
from training.evaluation.headline import headline
from training.evaluation.roc_curves import read_curves
from training.export.bundle_writer import export_bundle
from training.export.origin import provenance, settings_json
from training.fit.run import Run, read_json
from training.introspection.description import BundleFacts, describe_model
from training.introspection.own_model import describe_own_model, read_choice
from training.networks.keras_file import check_keras_file, load_network
from training.phantoms import Finding, FindingKind, render_view
from training.scorecard.report import check_scorecard, read_report

_GOLDEN_SEED = 1


def export_run(
    run: Run, out: Path, *, overwrite: bool, require_scorecard: bool, onnx: bool = False
) -> Path:
    """Export a run to `out` = <name>/<version>, with its scorecard if it has one.

    `onnx`: with graphs of ONNX.

    Raises:
        RunError: the run was not trained and evaluated, or `out` does not end in a version.
        ExportError: the golden image cannot be used.
        ScorecardError: a scorecard is required, and the run has none or failed it.
    """
    report = read_report(run.scorecard, run.best_model)
    if require_scorecard:
        check_scorecard(report)

    name, version = name_and_version(out)
    experiment = run.experiment()
    pixels = golden_pixels(experiment.bundle, experiment.fit.parameters())

    model, manifest = describe_run(run, name, version)
    return export_bundle(
        model,
        out,
        manifest,
        golden_pixels=pixels,
        report=report,
        curves=read_curves(run.curves),
        experiment=settings_json(experiment),
        onnx=onnx,
        overwrite=overwrite,
    )


def describe_run(run: Run, name: str = "unnamed", version: int = 1) -> tuple[keras.Model, Manifest]:
    """Load the network of a measured run and build the manifest of its bundle.

    Raises:
        RunError: the run was not trained and evaluated.
    """
    model = load_network(run.require(run.best_model, "train"))
    choice = read_choice(run.require(run.operating_point, "evaluate"))
    figures = headline(read_json(run.require(run.evaluation, "evaluate")))

    manifest = describe_own_model(
        model,
        run.experiment(),
        choice,
        figures=figures,
        provenance=provenance(read_json(run.require(run.provenance, "train"))),
        name=name,
        version=version,
    )
    return model, manifest


def export_foreign_model(  # noqa: PLR0913 - the choices of a command, by keyword
    keras_file: Path,
    description: Path,
    out: Path,
    *,
    scorecard: Path | None,
    overwrite: bool,
    require_scorecard: bool,
    onnx: bool = False,
) -> Path:
    """Export any Keras classifier to `out` = <name>/<version>.

    `description`: TOML file, see `ForeignModel`. `scorecard`: file with the model's scorecard.
    `onnx`: with graphs of ONNX.

    Raises:
        ConfigError: `description` lacks a needed key.
        RunError: the Keras file, the scorecard or the name of `out` cannot be used.
        ExportError: the golden image cannot be used.
        ScorecardError: a scorecard is required, and the model has none or failed it.
    """
    name, version = name_and_version(out)
    foreign = load_foreign_model(description)
    pixels = golden_pixels(foreign.bundle, foreign.fit.parameters())

    check_keras_file(keras_file)
    report = None if scorecard is None else read_report(scorecard, keras_file)
    if report is None and scorecard is not None:
        raise RunError(f"There is no scorecard {scorecard}: run `scorecard --keras` first.")
    if require_scorecard:
        check_scorecard(report)

    model, manifest = describe_foreign_model(keras_file, description, name, version)
    return export_bundle(
        model, out, manifest, golden_pixels=pixels, report=report, onnx=onnx, overwrite=overwrite
    )


def describe_foreign_model(
    keras_file: Path, description: Path, name: str = "unnamed", version: int = 1
) -> tuple[keras.Model, Manifest]:
    """Load any Keras classifier and build the manifest of its bundle.

    Raises:
        ConfigError: `description` lacks a needed key.
        RunError: the Keras file cannot be used.
    """
    foreign = load_foreign_model(description)
    model = load_network(keras_file)

    facts = BundleFacts(
        name=name,
        version=version,
        **foreign.decision.model_dump(),
        preprocessing=foreign.fit.parameters(),
        layers=foreign.layers,
        default_layer=foreign.bundle.default_layer,
        training=foreign.bundle.training_data,
        figures=foreign.figures,
        intended_use=foreign.bundle.intended_use,
        limitations=foreign.bundle.limitations,
    )
    return model, describe_model(model, facts)


def name_and_version(out: Path) -> tuple[str, int]:
    """Return the last two parts of a bundle's directory, the name and the version.

    Raises:
        RunError: the version is not a whole number from 1 on.
    """
    name, version = out.resolve().parts[-2:]

    if not version.isdecimal() or int(version) < 1:
        raise RunError(f"{out} does not end in <name>/<version>, as in models/demo/1.")
    return name, int(version)


def golden_pixels(card: Card, parameters: FitParameters) -> Pixels:
    """Return the source pixels of the self-test.

    They come from the image that the card names, or from a phantom with a spiculated mass, which
    shows no real person.

    Raises:
        ExportError: the image cannot be read, or is not a mammogram that the model can be shown.
    """
    path = card.golden_image
    if path is None:
        rng = np.random.default_rng(_GOLDEN_SEED)
        return render_view(rng, findings=(Finding(FindingKind.SPICULATED_MASS),)).pixels

    try:
        pixels = decode(path.read_bytes()).pixels
        fit(pixels, parameters)
    except OSError as error:
        raise ExportError(
            f"The golden_image {path} cannot be read ({error.strerror}): name another in [bundle], "
            "or leave the key out for a phantom."
        ) from error
    except ImageError as error:
        raise ExportError(f"The golden_image {path} cannot be used: {error}") from error

    return pixels
