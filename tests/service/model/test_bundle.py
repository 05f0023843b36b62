import hashlib
import json
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
from service.model import MANIFEST_FILE, Bundle, Model, checksums

IMAGES = np.random.default_rng(5).random((5, 96, 72, 1), np.float32)
CLASSES = np.array([1, 0, 1, 1, 0], np.int32)


def answers(model: Model, images: Any, classes: Any) -> dict[str, Any]:
    """Everything a model can be asked, by a name for each array."""
    scores = model.predict(images)
    found = {
        "probabilities": scores.probabilities,
        "logits": scores.logits,
        "features": scores.features,
    }
    found |= {f"activations of {name}": maps for name, maps in model.activations(images).items()}
    found["input gradients"] = model.input_gradients(images, classes)
    for layer in model.manifest.layers:
        explained = model.layer_gradients(layer.name, images, classes)
        found[f"maps of {layer.name}"] = explained.maps
        found[f"gradients of {layer.name}"] = explained.gradients
        found[f"probabilities beside {layer.name}"] = explained.scores.probabilities
        found[f"features beside {layer.name}"] = explained.scores.features
    return found


def rewrite_manifest(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Changes the manifest and makes it agree with the files as they are."""
    stated = json.loads((path / MANIFEST_FILE).read_text())
    change(stated)
    stated["files"] = checksums(path)
    (path / MANIFEST_FILE).write_text(json.dumps(stated))


@pytest.fixture
def copy(bundle_path: Path, tmp_path: Path) -> Path:
    return shutil.copytree(bundle_path, tmp_path / "1")


def test_a_batch_is_answered_like_its_images_one_by_one(bundle: Bundle) -> None:
    together = answers(bundle, IMAGES, CLASSES)
    alone = [answers(bundle, IMAGES[i : i + 1], CLASSES[i : i + 1]) for i in range(len(IMAGES))]
    for name, batch in together.items():
        expected = np.concatenate([each[name] for each in alone])
        np.testing.assert_allclose(
            batch, expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max(), err_msg=name
        )


def test_threads_get_the_answers_of_their_own_images(bundle: Bundle) -> None:
    expected = [bundle.predict(IMAGES[i : i + 1]).logits for i in range(len(IMAGES))]
    with ThreadPoolExecutor(4) as pool:
        found = list(
            pool.map(lambda i: bundle.predict(IMAGES[i % 5 : i % 5 + 1]).logits, range(40))
        )
    for i, logits in enumerate(found):
        np.testing.assert_allclose(logits, expected[i % 5], rtol=1e-5)


def test_every_answer_is_float32(bundle: Bundle) -> None:
    assert {array.dtype for array in answers(bundle, IMAGES, CLASSES).values()} == {
        np.dtype(np.float32)
    }


def test_probabilities_are_the_softmax_of_logits_over_the_temperature(bundle: Bundle) -> None:
    scores = bundle.predict(IMAGES)
    exponentials = np.exp(scores.logits.astype(np.float64) / 1.5)
    np.testing.assert_allclose(
        scores.probabilities, exponentials / exponentials.sum(axis=1, keepdims=True), rtol=1e-5
    )


def test_the_digest_is_that_of_the_manifest(bundle: Bundle, bundle_path: Path) -> None:
    assert bundle.digest == hashlib.sha256((bundle_path / MANIFEST_FILE).read_bytes()).hexdigest()


def test_what_no_caller_should_send_is_a_value_error(bundle: Bundle) -> None:
    with pytest.raises(ValueError, match="images must be"):
        bundle.predict(IMAGES[:, :, :-1])
    with pytest.raises(ValueError, match="class indices must lie"):
        bundle.input_gradients(IMAGES, CLASSES + 1)
    with pytest.raises(UnknownLayer):
        bundle.layer_gradients("dense", IMAGES, CLASSES)


@pytest.mark.parametrize("place", ["nowhere", "1/saved_model.pb", "."])
def test_a_path_that_is_no_bundle_says_what_to_name_instead(copy: Path, place: str) -> None:
    with pytest.raises(BundleMissing, match=r"models/demo/1"):
        Bundle.load(copy.parent / place)


def test_an_altered_file_is_named(copy: Path) -> None:
    weights = copy / "variables" / "variables.data-00000-of-00001"
    weights.write_bytes(weights.read_bytes()[::-1])
    with pytest.raises(BundleDamaged, match=r"altered: variables/variables\.data"):
        Bundle.load(copy)


def test_a_missing_file_is_named(copy: Path) -> None:
    (copy / "saved_model.pb").unlink()
    with pytest.raises(BundleDamaged, match=r"missing: saved_model\.pb"):
        Bundle.load(copy)


def test_a_file_of_unknown_origin_is_named(copy: Path) -> None:
    (copy / "notes.txt").touch()
    with pytest.raises(BundleDamaged, match=r"not in the manifest: notes\.txt"):
        Bundle.load(copy)


@pytest.mark.parametrize("contents", [b"", b"{}", b"\xff\xfe", b'{"schema_version": 2}'])
def test_a_manifest_that_is_none_is_damage(copy: Path, contents: bytes) -> None:
    (copy / MANIFEST_FILE).write_bytes(contents)
    with pytest.raises(BundleDamaged, match=r"manifest of bundle .* is not valid"):
        Bundle.load(copy)


def test_a_manifest_that_cannot_be_read_is_damage(copy: Path) -> None:
    (copy / MANIFEST_FILE).unlink()
    (copy / MANIFEST_FILE).mkdir()
    with pytest.raises(BundleDamaged, match="cannot be read"):
        Bundle.load(copy)


def test_a_saved_model_tensorflow_cannot_load_is_damage(copy: Path) -> None:
    (copy / "saved_model.pb").write_bytes(b"no protocol buffer")
    rewrite_manifest(copy, lambda _: None)
    with pytest.raises(BundleDamaged, match=r"TensorFlow .* cannot load"):
        Bundle.load(copy)


def test_a_layer_without_a_signature_is_damage(copy: Path) -> None:
    rewrite_manifest(
        copy, lambda stated: stated["layers"].append(stated["layers"][0] | {"name": "conv2d_7"})
    )
    with pytest.raises(BundleDamaged, match="lacks the signatures gradcam_conv2d_7"):
        Bundle.load(copy)


@pytest.mark.parametrize(
    "change",
    [
        lambda stated: stated["preprocessing"].update(width=73),
        lambda stated: stated["classes"].append("benign"),
        lambda stated: stated.update(layers=stated["layers"][1:], feature_layers=["conv2d_1"]),
        lambda stated: stated["feature_layers"].pop(0),
    ],
    ids=["input-size", "classes", "layers", "features"],
)
def test_a_manifest_of_another_network_is_damage(
    copy: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    rewrite_manifest(copy, change)
    with pytest.raises(BundleDamaged, match="not those its manifest describes"):
        Bundle.load(copy)


def test_loading_keeps_keras_out_and_takes_the_threads_it_is_given(bundle_path: Path) -> None:
    code = f"""
import os, sys
from pathlib import Path
from service.model import Bundle
Bundle.load(Path({str(bundle_path)!r}), threads=1)
print("keras" in sys.modules, os.environ["TF_NUM_INTRAOP_THREADS"], "TF_USE_LEGACY_KERAS" in os.environ)
"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    run = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment
    )
    assert run.stdout.split() == ["False", "1", "False"]
