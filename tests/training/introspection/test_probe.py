"""The probe of places, on networks that move their maps and on networks that do not."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from service.records import ConvLayer
from tests.support.bundles import untested_facts
from training.errors import NotExplainable
from training.introspection.description import describe_model
from training.introspection.effective_field import Displacement, EffectiveField
from training.introspection.probe import MAX_STRIDES, check_places, probe
from training.introspection.receptive_field import convolutional_layers
from training.introspection.signatures import Explained

SIZE = 64


def keep(signal: Any) -> Any:
    return signal


def network(between: Callable[[Any], Any] = keep) -> Any:
    """Return a classifier of two convolutions with something between them."""
    keras.utils.set_random_seed(4)
    inputs = keras.Input((SIZE, SIZE, 1))
    maps = keras.layers.Conv2D(8, 3, strides=2, padding="same", activation="relu", name="first")(
        inputs
    )
    maps = keras.layers.Conv2D(8, 3, padding="same", activation="relu", name="second")(
        between(maps)
    )
    pooled = keras.layers.GlobalAveragePooling2D()(maps)
    return keras.Model(inputs, keras.layers.Dense(2)(pooled))


def explained(model: Any, layers: list[ConvLayer]) -> Explained:
    taps = {layer.name: layer.tap for layer in layers}
    return Explained(model, taps, SIZE, SIZE, 1.0, [*taps])


def probed(model: Any, geometry: Any) -> dict[str, Displacement | None]:
    """Probe a model at the places that the layers of `geometry` say."""
    layers = convolutional_layers(geometry, SIZE, SIZE)
    return probe(explained(model, layers), layers)


class LyingNormalisation(keras.layers.BatchNormalization):  # type: ignore[misc]  # Keras: no types
    """A normalisation that flips its maps."""

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        return super().call(inputs, training=training, mask=mask)[:, :, ::-1]


LIES: dict[str, Callable[[Any], Any]] = {
    "permute": keras.layers.Permute((2, 1, 3)),
    "flip": lambda signal: keras.ops.flip(signal, axis=1),
    "roll": lambda signal: keras.ops.roll(signal, 1, axis=2),
    "rotate": lambda signal: keras.ops.rot90(signal, axes=(1, 2)),
    "subclass": LyingNormalisation(),
}


@pytest.mark.parametrize("lie", LIES)
def test_moved_maps_are_measured_without_the_list(lie: str) -> None:
    """The places are those of an honest network with the same layers."""
    displacements = probed(network(LIES[lie]), geometry=network())

    first = displacements["first"]
    second = displacements["second"]
    assert first is not None
    assert first.strides < MAX_STRIDES
    assert second is not None
    assert second.strides > MAX_STRIDES


@pytest.mark.parametrize("lie", LIES)
def test_moved_maps_are_refused_by_the_list(lie: str) -> None:
    with pytest.raises(NotExplainable, match=r"not known to keep .* 'second' depends on it"):
        convolutional_layers(network(LIES[lie]), SIZE, SIZE)


def shifting() -> Any:
    """Return a network of allowed layers, whose weights move the second map by two cells."""
    model = network(keras.layers.DepthwiseConv2D(5, padding="same", name="mover"))
    corner = np.zeros((5, 5, 8, 1), np.float32)
    corner[2, 4] = 1
    model.get_layer("mover").set_weights([corner, np.zeros(8)])

    return model


def test_weights_that_move_maps_are_refused() -> None:
    """The second layer, of stride 2 from pixel 1 on: cell 16 is at 33 and sees 37."""
    model = shifting()
    manifest = describe_model(
        model, untested_facts(height=SIZE, width=SIZE, layers=["first", "second"])
    )

    with pytest.raises(
        NotExplainable, match=r"of layer 'second' should depend on the pixels around .* place"
    ):
        check_places(model, manifest)


def test_shift_is_measured_in_pixels() -> None:
    model = shifting()

    displacement = probed(model, model)["second"]

    assert displacement is not None
    assert displacement.strides == pytest.approx(2, abs=0.5)
    assert displacement.measured[0] - displacement.expected[0] == pytest.approx(4, abs=1)
    assert displacement.measured[1] == pytest.approx(displacement.expected[1], abs=1)


def gated(maps: Any) -> Any:
    """Return the maps times a gate of squeeze and excitation."""
    gate = keras.layers.GlobalAveragePooling2D()(maps)
    gate = keras.layers.Reshape((1, 1, 8))(keras.layers.Dense(8, activation="sigmoid")(gate))
    return keras.layers.Multiply()([maps, gate])


@pytest.mark.parametrize(
    "between", [gated, keras.layers.GroupNormalization(2)], ids=["gate", "normalisation"]
)
def test_global_branches_do_not_reach_pixels(
    between: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cell of the second layer sees 7 x 7 pixels, and every pixel through the branch."""
    model = network(between)
    reached: list[Any] = []

    def note(_field: EffectiveField, _number: int, gradients: Any) -> None:
        reached.append(np.nonzero(gradients))

    monkeypatch.setattr(EffectiveField, "add", note)

    layers = [layer for layer in convolutional_layers(model, SIZE, SIZE) if layer.name == "second"]
    probe(explained(model, layers), layers)

    assert reached
    assert all(np.ptp(axis) < 7 for axes in reached for axis in axes)


def test_layer_without_gradients_has_no_displacement() -> None:
    model = network()
    first = model.get_layer("first")
    first.set_weights([np.zeros_like(weights) for weights in first.get_weights()])

    assert probed(model, model) == {"first": None, "second": None}


def test_probe_leaves_the_network_unchanged() -> None:
    model = network(gated)
    before = {layer.name: set(vars(layer)) for layer in model.layers}

    probed(model, model)

    assert {layer.name: set(vars(layer)) for layer in model.layers} == before
