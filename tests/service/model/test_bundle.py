import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.errors import BundleDamaged, BundleMissing, UnknownLayer
from service.model import CURVES_FILE, MANIFEST_FILE, Bundle, save_curves
from tests.support.level_facts import curves
from tests.support.model_answers import CLASSES, IMAGES, answers, rewrite_manifest


@pytest.fixture
def copy(bundle_path: Path, tmp_path: Path) -> Path:
    return shutil.copytree(bundle_path, tmp_path / "1")


def test_batch_gives_results_of_single_images(bundle: Bundle) -> None:
    together = answers(bundle, IMAGES, CLASSES)
    alone = [answers(bundle, IMAGES[i : i + 1], CLASSES[i : i + 1]) for i in range(len(IMAGES))]

    for name, batch in together.items():
        expected = np.concatenate([arrays[name] for arrays in alone])
        np.testing.assert_allclose(
            batch, expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max(), err_msg=name
        )


def test_threads_get_results_of_their_images(bundle: Bundle) -> None:
    expected = [bundle.predict(IMAGES[i : i + 1]).logits for i in range(len(IMAGES))]

    with ThreadPoolExecutor(4) as pool:
        concurrent = list(
            pool.map(lambda i: bundle.predict(IMAGES[i % 5 : i % 5 + 1]).logits, range(40))
        )

    for i, logits in enumerate(concurrent):
        np.testing.assert_allclose(logits, expected[i % 5], rtol=1e-5)


def test_every_array_is_float32(bundle: Bundle) -> None:
    arrays = answers(bundle, IMAGES, CLASSES).values()

    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}


def test_probabilities_are_softmax_of_tempered_logits(bundle: Bundle) -> None:
    """They are softmax(logits / temperature), and the temperature is 1.5."""
    scores = bundle.predict(IMAGES)

    exponentials = np.exp(scores.logits.astype(np.float64) / 1.5)
    expected = exponentials / exponentials.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(scores.probabilities, expected, rtol=1e-5)


def test_digest_is_that_of_manifest(bundle: Bundle, bundle_path: Path) -> None:
    assert bundle.digest == hashlib.sha256((bundle_path / MANIFEST_FILE).read_bytes()).hexdigest()


def test_wrong_input_raises_an_error(bundle: Bundle) -> None:
    with pytest.raises(ValueError, match="images must be"):
        bundle.predict(IMAGES[:, :, :-1])
    with pytest.raises(ValueError, match="class indices must lie"):
        bundle.input_gradients(IMAGES, CLASSES + 1)
    with pytest.raises(UnknownLayer):
        bundle.layer_gradients("dense", IMAGES, CLASSES)


@pytest.mark.parametrize("place", ["nowhere", "1/saved_model.pb", "."])
def test_path_without_bundle_names_an_example(copy: Path, place: str) -> None:
    with pytest.raises(BundleMissing, match=r"models/demo/1"):
        Bundle.load(copy.parent / place)


def test_bundle_has_the_curves_of_its_file(bundle: Bundle, copy: Path) -> None:
    save_curves(copy, curves())
    rewrite_manifest(copy, lambda _: None)

    assert Bundle.load(copy).curves == curves()
    assert bundle.curves is None


def test_invalid_curves_are_refused(copy: Path) -> None:
    (copy / CURVES_FILE).write_text(curves().model_dump_json().replace("0.85", "8.5"))
    rewrite_manifest(copy, lambda _: None)

    with pytest.raises(
        BundleDamaged, match=r"not valid: levels\.image\.roc\.high\.2: .* Export the"
    ):
        Bundle.load(copy)


def test_curves_missing_in_manifest_are_named(copy: Path) -> None:
    save_curves(copy, curves())

    with pytest.raises(BundleDamaged, match=r"not in the manifest: assets\.extra/curves\.json"):
        Bundle.load(copy)


def test_altered_file_is_named(copy: Path) -> None:
    weights = copy / "variables" / "variables.data-00000-of-00001"
    weights.write_bytes(weights.read_bytes()[::-1])

    with pytest.raises(BundleDamaged, match=r"altered: variables/variables\.data"):
        Bundle.load(copy)


def test_missing_file_is_named(copy: Path) -> None:
    (copy / "saved_model.pb").unlink()

    with pytest.raises(BundleDamaged, match=r"missing: saved_model\.pb"):
        Bundle.load(copy)


def test_file_missing_in_manifest_is_named(copy: Path) -> None:
    (copy / "notes.txt").touch()

    with pytest.raises(BundleDamaged, match=r"not in the manifest: notes\.txt"):
        Bundle.load(copy)


@pytest.mark.parametrize("contents", [b"", b"{}", b"\xff\xfe", b'{"schema_version": 2}'])
def test_invalid_manifest_is_damage(copy: Path, contents: bytes) -> None:
    (copy / MANIFEST_FILE).write_bytes(contents)

    with pytest.raises(BundleDamaged, match=r"manifest of bundle .* is not valid"):
        Bundle.load(copy)


@pytest.mark.parametrize("version", [1, 4])
def test_unsupported_schema_says_to_export_again(copy: Path, version: int) -> None:
    rewrite_manifest(copy, lambda manifest: manifest.update(schema_version=version))

    with pytest.raises(BundleDamaged, match=r"does not serve\. Export the model again"):
        Bundle.load(copy)


def test_unreadable_manifest_is_damage(copy: Path) -> None:
    (copy / MANIFEST_FILE).unlink()
    (copy / MANIFEST_FILE).mkdir()

    with pytest.raises(BundleDamaged, match="cannot be read"):
        Bundle.load(copy)


def test_unloadable_saved_model_is_damage(copy: Path) -> None:
    (copy / "saved_model.pb").write_bytes(b"no protocol buffer")
    rewrite_manifest(copy, lambda _: None)

    with pytest.raises(BundleDamaged, match=r"TensorFlow .* cannot load"):
        Bundle.load(copy)


def test_layer_without_signature_is_damage(copy: Path) -> None:
    def add_layer(manifest: dict[str, Any]) -> None:
        added = {"name": "conv2d_7", "tap": ["conv2d_7"]}
        manifest["layers"].append(manifest["layers"][0] | added)

    rewrite_manifest(copy, add_layer)

    with pytest.raises(BundleDamaged, match="lacks the signatures gradcam_conv2d_7"):
        Bundle.load(copy)


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest["preprocessing"].update(width=73),
        lambda manifest: manifest["classes"].append("benign"),
        lambda manifest: manifest.update(
            layers=manifest["layers"][1:], feature_layers=["conv2d_1"]
        ),
        lambda manifest: manifest["feature_layers"].pop(0),
    ],
    ids=["input-size", "classes", "layers", "features"],
)
def test_manifest_of_another_network_is_damage(
    copy: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    rewrite_manifest(copy, change)

    with pytest.raises(BundleDamaged, match="not those its manifest describes"):
        Bundle.load(copy)


def test_loading_omits_keras_and_sets_threads(bundle_path: Path) -> None:
    code = f"""
import os, sys
from pathlib import Path
from service.model import Bundle
Bundle.load(Path({str(bundle_path)!r}), threads=1)
threads = os.environ["TF_NUM_INTRAOP_THREADS"]
print("keras" in sys.modules, threads, "TF_USE_LEGACY_KERAS" in os.environ)
"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}

    run = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment
    )

    assert run.stdout.split() == ["False", "1", "False"]
