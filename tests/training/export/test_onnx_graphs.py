"""Graphs of ONNX beside a SavedModel: operations with gradients, and what is left out."""

import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from service.model import MODEL_CARD_FILE, Bundle, OnnxBundle, checksums, graph_file
from service.records import Pixels
from tests.support.bundles import untested_facts
from tests.support.model_answers import answers
from training.commands import main
from training.errors import ExportError
from training.export.bundle_writer import export_bundle
from training.introspection.description import describe_model

SIZE = (37, 29)  # odd, so that windows do not divide it
IMAGES = np.random.default_rng(3).random((2, *SIZE, 1), np.float32)
CLASSES = np.array([1, 0], np.int32)


def exported(body: list[Any], breast: Pixels, out: Path) -> Path:
    """Export a network of a convolution, the layers of `body` and a classifier, with graphs."""
    keras.utils.set_random_seed(5)
    first = keras.layers.Conv2D(16, 3, activation="relu", bias_initializer="normal", name="first")
    last = [
        keras.layers.Conv2D(6, 3, padding="same", name="last"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(2, activation="softmax"),
    ]
    network = keras.Sequential([keras.Input((*SIZE, 1)), first, *body, *last])

    facts = untested_facts(*SIZE, name="tiny", version=1, layers=["first"], default_layer="first")
    manifest = describe_model(network, facts)
    return export_bundle(network, out / "tiny" / "1", manifest, golden_pixels=breast, onnx=True)


def assert_equal_answers(path: Path) -> None:
    """Compare every array of onnxruntime with that of TensorFlow."""
    expected = answers(Bundle.load(path), IMAGES, CLASSES)

    for name, array in answers(OnnxBundle.load(path), IMAGES, CLASSES).items():
        peak = np.abs(expected[name]).max()
        np.testing.assert_allclose(array, expected[name], rtol=0, atol=1e-4 * peak, err_msg=name)


BODIES = {
    "convolutions": [
        keras.layers.Conv2D(9, 1, strides=2),  # with columns that no window has
        keras.layers.Conv2D(9, 3, strides=2, padding="same", activation="relu"),
        keras.layers.Conv2D(3, 3, strides=2, padding="same", activation="sigmoid"),
        keras.layers.Conv2D(9, 2, strides=2, activation="relu6"),
    ],
    "depthwise": [
        keras.layers.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2),
        keras.layers.BatchNormalization(),
        keras.layers.ReLU(6.0),
        keras.layers.DepthwiseConv2D(5, activation="silu"),
    ],
    "pools": [
        keras.layers.MaxPooling2D(3, strides=2, padding="same"),
        keras.layers.AveragePooling2D(3, strides=2, padding="same"),
        keras.layers.MaxPooling2D(2),
        keras.layers.AveragePooling2D(2, strides=1),
    ],
}


@pytest.mark.parametrize("name", BODIES)
def test_operations_give_what_tensorflow_gives(
    name: str, breast: Pixels, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = exported(BODIES[name], breast, tmp_path)

    assert "left out" not in capsys.readouterr().out
    assert_equal_answers(path)


def test_graph_that_does_not_convert_is_named(
    breast: Pixels, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = exported([keras.layers.Conv2D(9, 3, activation="elu")], breast, tmp_path)

    told = capsys.readouterr().out
    assert "onnx/input_gradients.onnx left out, TensorFlow runs it" in told
    assert "no operation of ONNX stands for EluGrad" in told
    assert (path / graph_file("serving_default")).exists()
    assert not (path / graph_file("input_gradients")).exists()
    assert_equal_answers(path)


def test_new_version_keeps_all_other_files(bundle_path: Path, graphs_path: Path) -> None:
    """The version with graphs has the files of the one without, but for name and card."""
    before = checksums(bundle_path)
    after = checksums(graphs_path)

    added = after.keys() - before.keys()
    assert {Path(file).parent.name for file in added} == {"onnx"}
    changed = {file for file in before if after[file] != before[file]}
    assert changed == {MODEL_CARD_FILE.as_posix()}
    assert OnnxBundle.load(graphs_path).manifest.version == 2


def test_command_replaces_a_version_by_itself(bundle_path: Path, tmp_path: Path) -> None:
    path = shutil.copytree(bundle_path, tmp_path / "mine" / "3")

    assert main(["onnx", str(path), "--out", str(path), "--overwrite"]) == 0

    manifest = OnnxBundle.load(path).manifest
    assert (manifest.name, manifest.version) == ("mine", 3)


def test_existing_version_is_kept(bundle_path: Path) -> None:
    from training.export.added_graphs import with_graphs  # noqa: PLC0415 - as the fixture

    with pytest.raises(ExportError, match="exists"):
        with_graphs(bundle_path, bundle_path, overwrite=False)
