"""Writer of bundles: SavedModel with explaining signatures, manifest, golden case and card."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import tensorflow as tf

from service import imaging, pipeline
from service.model import (
    EXPERIMENT_FILE,
    MANIFEST_FILE,
    MODEL_CARD_FILE,
    Bundle,
    Curves,
    GoldenCase,
    Manifest,
    checksums,
    save_curves,
    save_domain,
    save_scorecard,
)
from service.records import MapState, Pixels
from training.errors import ExportError
from training.export.model_card import model_card
from training.introspection.effective_size import with_effective_sizes
from training.introspection.live_model import explained
from training.introspection.probe import check_places
from training.scorecard.report import ScorecardReport


def export_bundle(  # noqa: PLR0913 - the parts of a bundle, by keyword
    model: keras.Model,
    out: Path,
    manifest: Manifest,
    *,
    golden_pixels: Pixels,
    report: ScorecardReport | None = None,
    curves: Curves | None = None,
    experiment: str | None = None,
    onnx: bool = False,
    overwrite: bool = False,
) -> Path:
    """Write a bundle to the directory `out` and return `out`. A failed export leaves nothing there.

    `manifest`: as `describe_model` returns it. `golden_pixels`: decoded pixels of a mammogram. The
    bundle keeps them with its answers for them. `curves`: those of the test part. `experiment`:
    JSON of the settings that the network was trained with, without names of files or patients.
    `onnx`: also write graphs of ONNX, by which onnxruntime can serve the bundle.

    Raises:
        ExportError: `out` exists and may not be overwritten, or no class of the golden image can be
            explained.
        NotExplainable: the maps of a layer have cells in other places than the manifest says.
    """
    check_free(out, overwrite=overwrite)
    check_places(model, manifest)

    image = imaging.fit(golden_pixels, manifest.preprocessing).image
    manifest = with_effective_sizes(model, manifest, image)

    with staged(out) as directory:
        _write_model(directory, model, manifest, golden_pixels)
        if onnx:
            add_graphs(directory, manifest)
        _write_facts(directory, manifest, report, curves, experiment)
    return out


def check_free(out: Path, *, overwrite: bool) -> None:
    """Raise ExportError if `out` exists and may not be overwritten."""
    if out.exists() and not overwrite:
        raise ExportError(f"{out} exists; export another version, or allow it to be overwritten.")


@contextmanager
def staged(out: Path) -> Iterator[Path]:
    """Yield a directory to write, and rename it to `out` at the end. It does not exist yet.

    It is beside `out`, which is never seen half written. A failure leaves nothing there.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".export-", dir=out.parent) as workshop:
        directory = Path(workshop) / "new"
        yield directory

        if out.exists():
            out.rename(Path(workshop) / "old")
        directory.rename(out)


def add_graphs(directory: Path, manifest: Manifest) -> None:
    """Write the graphs of ONNX of a bundle, and print each."""
    from training.export.onnx_graphs import write_graphs  # noqa: PLC0415 - needs the extra

    for outcome in write_graphs(directory, manifest):
        print(outcome, flush=True)


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Write the manifest, which comes last because it lists the checksums of all other files."""
    complete = manifest.model_copy(update={"files": checksums(directory)})
    (directory / MANIFEST_FILE).write_text(
        complete.model_dump_json(indent=2) + "\n", encoding="utf-8"
    )


def _write_model(directory: Path, model: keras.Model, manifest: Manifest, golden: Pixels) -> None:
    """Write the SavedModel and the golden case."""
    # The SavedModel comes first: the golden case is made by the bundle as it is loaded, not by the
    # model in memory.
    _save_model(directory, model, manifest)
    (directory / MANIFEST_FILE).parent.mkdir()
    _golden_case(Bundle(directory, manifest, digest=""), golden).save(directory)


def _write_facts(
    directory: Path,
    manifest: Manifest,
    report: ScorecardReport | None,
    curves: Curves | None,
    experiment: str | None,
) -> None:
    """Write every other file of the bundle."""
    if experiment is not None:
        (directory / EXPERIMENT_FILE).write_text(experiment + "\n", encoding="utf-8")

    if report is not None:
        save_scorecard(directory, report.scorecard)
        save_domain(directory, report.domain)
        manifest = manifest.model_copy(update={"reference": report.reference})

    if curves is not None:
        save_curves(directory, curves)

    card = model_card(manifest, None if report is None else report.scorecard, curves)
    (directory / MODEL_CARD_FILE).write_text(card, encoding="utf-8")
    write_manifest(directory, manifest)


def _save_model(directory: Path, model: keras.Model, manifest: Manifest) -> None:
    archive = keras.export.ExportArchive()
    for name, signature in explained(model, manifest).signatures().items():
        archive.add_endpoint(name, signature.function, input_signature=list(signature.inputs))

    try:
        archive.write_out(str(directory), verbose=False)
    except tf.errors.ResourceExhaustedError as error:
        raise OSError(errno.ENOSPC, "No space left on device") from error


def _golden_case(bundle: Bundle, pixels: Pixels) -> GoldenCase:
    """Return the bundle's answers for `pixels`, with a heatmap that is not blank.

    The heatmap is that of the positive class, or else of the first class whose map is not blank.
    """
    manifest = bundle.manifest
    positive = manifest.classes.index(manifest.positive_class)

    for index in sorted(range(len(manifest.classes)), key=lambda index: index != positive):
        case, state = pipeline.golden_case(bundle, pixels, manifest.default_layer, index)
        if state is MapState.OK:
            return case

    raise ExportError(
        f"Layer {manifest.default_layer!r} explains no class of the golden image ({state}); "
        "choose another default layer or golden image."
    )
