"""First weights out of every kind of Keras file, matched by name."""

from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from training.errors import ConfigError, WeightsError
from training.network_config import Backbone
from training.networks.first_weights import load_first_weights
from training.networks.freezing import backbone_layers, freeze
from training.networks.head import with_head

SHAPE = (16, 12, 1)


def backbone(names: tuple[str, str, str] = ("first", "norm", "second")) -> keras.Model:
    """Return two convolutions, of which the second is in a network of its own."""
    first, norm, second = names
    images = keras.Input(SHAPE)
    maps = keras.layers.Conv2D(3, 3, name=first)(images)
    maps = keras.layers.BatchNormalization(name=norm)(maps)
    tail = keras.Sequential([keras.layers.Conv2D(4, 3, name=second)], name="tail")
    return keras.Model(images, tail(maps), name="small")


def spread(network: keras.Model) -> keras.Model:
    random = np.random.default_rng(0)
    for weight in network.weights:
        weight.assign(random.uniform(0.1, 1, weight.shape))
    return network


def whole(headless: keras.Model) -> keras.Model:
    return with_head(headless, Backbone(kind="mobilenetv2"))


def write_named(network: keras.Model, path: Path, separator: str = "_") -> None:
    """Write a file of weights as Keras 2 did, such as those that keras.io offers."""
    with h5py.File(path, "w") as file:
        layers = [layer for layer in network.layers if layer.weights]
        names = [layer.name.replace("_", separator) for layer in layers]
        file.attrs["layer_names"] = [name.encode() for name in names]
        for name, layer in zip(names, layers, strict=True):
            group = file.create_group(name)
            parts = [f"{name}/{index}:0" for index in range(len(layer.weights))]
            group.attrs["weight_names"] = [part.encode() for part in parts]
            for part, array in zip(parts, layer.get_weights(), strict=True):
                group[part] = array


def write(network: keras.Model, path: Path, form: str) -> None:
    if form == "names":
        write_named(network, path)
    elif form == "numbers":
        network.save_weights(path)
    else:
        (whole(network) if form == "whole" else network).save(path)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("headless.keras", "headless"),
        ("whole.keras", "whole"),
        ("notop.h5", "names"),
        ("notop.weights.h5", "numbers"),
    ],
)
def test_every_file_gives_its_weights(tmp_path: Path, name: str, form: str) -> None:
    source = spread(backbone())
    write(source, tmp_path / name, form)
    target = backbone()

    load_first_weights(target, tmp_path / name)

    for given, taken in zip(source.get_weights(), target.get_weights(), strict=True):
        assert given.tolist() == taken.tolist()


def test_other_names_are_matched_in_order(tmp_path: Path) -> None:
    source = spread(backbone(("a", "b", "c")))
    source.save(tmp_path / "other.keras")
    target = backbone()

    load_first_weights(target, tmp_path / "other.keras")

    assert target.get_layer("first").kernel.numpy().tolist() == (
        source.get_layer("a").kernel.numpy().tolist()
    )


def test_slashes_in_names_are_underscores(tmp_path: Path) -> None:
    names = ("conv1_conv", "conv1_bn", "last")
    source = spread(backbone(names))
    write_named(source, tmp_path / "notop.h5", separator="/")
    target = backbone(names)

    load_first_weights(target, tmp_path / "notop.h5")

    assert target.get_layer("conv1_conv").kernel.numpy().tolist() == (
        source.get_layer("conv1_conv").kernel.numpy().tolist()
    )


def deeper() -> keras.Model:
    network = backbone()
    return keras.Model(network.input, keras.layers.Conv2D(2, 1, name="third")(network.output))


def test_superfluous_layer_is_named(tmp_path: Path) -> None:
    deeper().save(tmp_path / "deeper.keras")

    with pytest.raises(WeightsError, match="'third'"):
        load_first_weights(backbone(), tmp_path / "deeper.keras")


def test_missing_layer_is_named(tmp_path: Path) -> None:
    backbone().save(tmp_path / "small.keras")

    with pytest.raises(WeightsError, match="no layer 'third'"):
        load_first_weights(deeper(), tmp_path / "small.keras")


def test_other_shape_is_named(tmp_path: Path) -> None:
    images = keras.Input(SHAPE)
    wider = keras.layers.Conv2D(5, 3, name="first")(images)
    maps = keras.layers.Conv2D(4, 3, name="second")(
        keras.layers.BatchNormalization(name="norm")(wider)
    )
    keras.Model(images, maps).save(tmp_path / "wider.keras")

    with pytest.raises(WeightsError, match=r"'first'.*\(3, 3, 1, 5\)"):
        load_first_weights(backbone(), tmp_path / "wider.keras")


@pytest.mark.parametrize("form", ["names", "numbers"])
def test_cut_off_weights_are_refused(tmp_path: Path, form: str) -> None:
    path = tmp_path / "notop.weights.h5"
    write(backbone(), path, form)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])

    with pytest.raises(WeightsError, match="damaged"):
        load_first_weights(backbone(), path)


def test_weights_of_other_program_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"absent"]

    with pytest.raises(WeightsError, match="no weights of Keras"):
        load_first_weights(backbone(), path)


def test_layers_are_frozen_up_to_one() -> None:
    network = whole(backbone())

    freeze(network, "norm")

    assert [layer.name for layer in network.layers if not layer.trainable][-2:] == ["first", "norm"]
    assert network.get_layer("tail").trainable
    assert network.get_layer("logits").trainable


def test_near_names_of_frozen_layer_are_told() -> None:
    with pytest.raises(ConfigError, match=r"no layer 'first1'\. Near are first"):
        freeze(whole(backbone()), "first1")


def test_head_cannot_be_frozen_until() -> None:
    with pytest.raises(ConfigError, match="no layer 'logits'"):
        freeze(whole(backbone()), "logits")


def test_head_begins_at_pooling() -> None:
    network = whole(backbone())

    assert [layer.name for layer in backbone_layers(network)][1:] == ["first", "norm", "tail"]
    assert [layer.name for layer in network.layers[-4:]] == [
        *("pooling", "head_dropout", "logits", "probabilities")
    ]
