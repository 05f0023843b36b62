"""Keras files that cannot be used: one sentence names the fault and the remedy."""

import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from training.errors import RunError
from training.networks.keras_file import load_network

SHAPE = (48, 36, 1)


class Doubling(keras.layers.Layer):  # type: ignore[misc]
    def call(self, inputs: Any) -> Any:
        return inputs * 2


class Subclassed(keras.Model):  # type: ignore[misc]
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.dense = keras.layers.Dense(2)

    def call(self, inputs: Any) -> Any:
        return self.dense(inputs)


def doubled(inputs: Any) -> Any:
    return inputs * 2


def network(*middle: Any, activation: Any = None) -> keras.Model:
    """Return a functional network with layers after its convolution."""
    inputs = keras.Input(SHAPE)
    maps = keras.layers.Conv2D(3, 3, activation=activation)(inputs)
    for layer in middle:
        maps = layer(maps)

    pooled = keras.layers.GlobalAveragePooling2D()(maps)
    return keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(pooled))


def sequential() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input(SHAPE),
            keras.layers.Conv2D(3, 3, activation="relu", name="only"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )


def saved(directory: Path, name: str = "network.keras") -> Path:
    path = directory / name
    network().save(path)
    return path


def write_bytes(content: bytes, name: str = "network.keras") -> Callable[[Path], Path]:
    """Return a function that writes a file of this content."""

    def write(directory: Path) -> Path:
        path = directory / name
        path.write_bytes(content)
        return path

    return write


def write_directory(directory: Path) -> Path:
    path = directory / "network.keras"
    path.mkdir()
    return path


def write_saved_model(directory: Path) -> Path:
    path = write_directory(directory)
    (path / "saved_model.pb").write_bytes(b"\n")
    return path


def write_other_zip(directory: Path) -> Path:
    path = directory / "photos.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("photo.txt", "a breast")
    return path


def write_truncated(directory: Path) -> Path:
    path = saved(directory)
    path.write_bytes(path.read_bytes()[:-500])
    return path


def write_flipped_byte(directory: Path) -> Path:
    """Write a network of which one byte of the weights has changed on the way."""
    path = saved(directory)
    content = bytearray(path.read_bytes())
    content[content.index(b"\x89HDF") + 100] ^= 255
    path.write_bytes(content)
    return path


def write_renamed(directory: Path) -> Path:
    return saved(directory).rename(directory / "network.zip")


def write_broken_config(directory: Path) -> Path:
    """Write a whole zip file in which the network's description is nonsense."""
    path = saved(directory)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**parts, "config.json": b'{"layers": []}'}.items():
            archive.writestr(name, content)
    return path


def write_weights(directory: Path) -> Path:
    path = directory / "network.weights.h5"
    sequential().save_weights(path)
    return path


def write_truncated_hdf5(directory: Path) -> Path:
    path = write_weights(directory)
    path.write_bytes(path.read_bytes()[:5000])
    return path


def save(build: Callable[[], keras.Model]) -> Callable[[Path], Path]:
    """Return a function that saves the network that `build` makes."""

    def write(directory: Path) -> Path:
        path = directory / "network.keras"
        build().save(path)
        return path

    return write


def subclassed() -> keras.Model:
    model = Subclassed()
    model(np.zeros((1, 3), np.float32))
    return model


@pytest.mark.parametrize(
    ("write", "complaint"),
    [
        (lambda directory: directory / "absent.keras", "There is no Keras file .*absent.keras"),
        (write_directory, "is a directory: name the .keras file"),
        (write_saved_model, "is a TensorFlow SavedModel.*model.save"),
        (write_bytes(b""), "is empty: save the whole network"),
        (write_bytes(b"not a network"), "is not a Keras file: save the whole network"),
        (write_bytes(b"not a network", "network.h5"), "is not a Keras file"),
        (write_other_zip, "is a zip file without a network"),
        (write_truncated, "is damaged or cut off"),
        (write_flipped_byte, "is damaged in its part model.weights.h5"),
        (write_renamed, "rename it to end in .keras"),
        (write_broken_config, r"Keras 3\.\S+ cannot load .*network.keras \(.*\): save"),
        (write_weights, "holds weights alone.*save the whole network"),
        (write_truncated_hdf5, r"cannot load .*\(.*truncated file"),
        (
            save(lambda: network(keras.layers.Lambda(lambda maps: maps * 2))),
            "Lambda.* run code that is in the file: replace it",
        ),
        (save(lambda: network(Doubling())), "needs 'Doubling', which is not part of Keras"),
        (save(lambda: network(activation=doubled)), "needs 'doubled', which is not part of Keras"),
        (save(subclassed), "needs 'Subclassed', .* functionally or sequentially"),
    ],
    ids=[
        "absent",
        "directory",
        "saved-model",
        "empty",
        "bytes",
        "bytes-h5",
        "zip",
        "truncated",
        "flipped",
        "renamed",
        "config",
        "weights",
        "truncated-h5",
        "lambda",
        "layer",
        "activation",
        "subclassed",
    ],
)
def test_unusable_keras_file_is_named_with_remedy(
    write: Callable[[Path], Path], complaint: str, tmp_path: Path
) -> None:
    path = write(tmp_path)

    with pytest.raises(RunError, match=complaint) as refusal:
        load_network(path)

    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def as_keras_2(config: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration of a layer as Keras 2.15 wrote it, without modules and policies."""
    old = {**config, "dtype": "float32"}
    old.pop("quantization_config", None)
    if "batch_shape" in old:
        old["batch_input_shape"] = old.pop("batch_shape")
        old.pop("optional")
        old["ragged"] = False

    for key, value in old.items():
        if isinstance(value, dict) and "class_name" in value:
            old[key] = {"class_name": value["class_name"], "config": {}}
    return old


def test_whole_keras_2_file_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "network.h5"
    model = sequential()
    model.save(path)
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])["config"]
        layers = [{**layer, "config": as_keras_2(layer["config"])} for layer in config["layers"]]
        old = {"class_name": "Sequential", "config": {"name": "sequential", "layers": layers}}
        file.attrs["model_config"] = json.dumps(old)
        file.attrs["keras_version"] = "2.15.0"
    images = np.random.default_rng(0).random((2, *SHAPE), np.float32)

    loaded = load_network(path)

    np.testing.assert_allclose(loaded(images), model(images), atol=1e-6)


def test_single_output_leaves_its_dictionary(tmp_path: Path) -> None:
    model = network()
    path = tmp_path / "network.keras"
    keras.Model(model.inputs[0], {"scores": model.outputs[0]}).save(path)
    images = np.random.default_rng(0).random((2, *SHAPE), np.float32)

    loaded = load_network(path)

    np.testing.assert_allclose(loaded(images), model(images), atol=1e-6)


@contextmanager
def mixed(policy: str) -> Iterator[None]:
    """Make layers compute by this policy."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    yield
    keras.config.set_dtype_policy(before)


@pytest.mark.parametrize(
    ("policy", "tolerance"), [("mixed_float16", 1e-3), ("mixed_bfloat16", 8e-3)]
)
def test_mixed_precision_answers_in_float32(policy: str, tolerance: float, tmp_path: Path) -> None:
    """The tolerance is the spacing of the type's values below 1, twice."""
    path = tmp_path / "network.keras"
    keras.utils.set_random_seed(1)
    with mixed(policy):
        model = network(keras.layers.BatchNormalization(), keras.layers.ReLU())
    model.save(path)
    images = np.random.default_rng(0).random((4, *SHAPE), np.float32)
    expected = np.asarray(model(images), np.float32)

    loaded = load_network(path)

    assert {layer.compute_dtype for layer in loaded.layers} == {"float32"}
    np.testing.assert_allclose(loaded(images), expected, atol=tolerance)
    assert loaded(images).dtype == "float32"
