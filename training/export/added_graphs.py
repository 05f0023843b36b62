"""A new version of a bundle, with graphs of ONNX beside its SavedModel."""

import shutil
from pathlib import Path

from service.model import MODEL_CARD_FILE, Bundle, graph_file
from training.export.bundle_writer import add_graphs, check_free, staged, write_manifest
from training.export.model_card import model_card
from training.export.publish import name_and_version


def with_graphs(bundle: Path, out: Path, *, overwrite: bool) -> Path:
    """Write the bundle with graphs to `out` = <name>/<version>, and return `out`.

    Nothing else changes but name, version and model card, so answers of TensorFlow stay the same.

    Raises:
        BundleError: the bundle cannot be loaded.
        RunError: `out` does not end in a version.
        ExportError: `out` exists and may not be overwritten.
    """
    name, version = name_and_version(out)
    check_free(out, overwrite=overwrite)
    loaded = Bundle.load(bundle)
    manifest = loaded.manifest.model_copy(update={"name": name, "version": version})

    with staged(out) as directory:
        folder = graph_file("any").parent.name
        shutil.copytree(bundle, directory, ignore=shutil.ignore_patterns(folder))
        add_graphs(directory, manifest)

        card = model_card(manifest, loaded.scorecard, loaded.curves)
        (directory / MODEL_CARD_FILE).write_text(card, encoding="utf-8")
        write_manifest(directory, manifest)
    return out
