"""Signatures against tf-keras-vis and the model in memory, and bundles against their facts."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmarks.oracle import in_double_precision
from service import explanation, imaging, pipeline
from service.geometry import IDENTITY
from service.model import MANIFEST_FILE, MODEL_CARD_FILE, Bundle, GoldenCase, Manifest
from service.observability.stopwatch import Stopwatch
from service.records import FitParameters, Floats, Method, Pixels
from tests.support.bundles import untested_facts
from training.config_files import load_experiment
from training.errors import ExportError, NotExplainable
from training.export.bundle_writer import export_bundle
from training.introspection.description import describe_model
from training.introspection.live_model import LiveModel
from training.introspection.receptive_field import convolutional_layers
from training.introspection.signatures import Explained
from training.networks.build import build_untrained
from training.networks.cnn import CONVOLUTIONS, LOGITS
from training.scorecard.randomisation import randomise

Export = Callable[..., Path]
RNG = np.random.default_rng(11)


@pytest.fixture
def export(breast: Pixels, tmp_path: Path) -> Export:
    """A function that exports a model whose input is 64 x 48. `changes` are facts of its bundle."""

    def run(model: Any, *, overwrite: bool = False, **changes: Any) -> Path:
        manifest = describe_model(model, untested_facts(height=64, width=48, **changes))
        out = tmp_path / "tiny" / "2"
        return export_bundle(model, out, manifest, golden_pixels=breast, overwrite=overwrite)

    return run


def classifier(head: Sequence[Any], units: int = 2, channels: int = 1) -> Any:
    """Return a network of one convolution, average pooling, a dense layer and the head."""
    keras.utils.set_random_seed(7)
    return keras.Sequential(
        [
            keras.Input((64, 48, channels)),
            keras.layers.Conv2D(3, 5, strides=2, name="conv2d"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(units, name="dense"),
            *head,
        ]
    )


def explained(model: Any, *layers: str, temperature: float = 1.0) -> Explained:
    """Return the signatures of a model. Its features are those of `layers`, or of "conv2d"."""
    _, height, width, _ = model.input_shape
    names = layers or ("conv2d",)
    taps = {
        layer.name: layer.tap
        for layer in convolutional_layers(model, height, width)
        if layer.name in names
    }
    return Explained(model, taps, height, width, temperature, names)


def keras_vis_maps(
    model: Any, layer: str, images: Any, index: int, method: Method = Method.GRAD_CAM
) -> Floats:
    """Return raw maps of the margin between two classes from tf-keras-vis.

    The maps of Grad-CAM are signed, as before the ReLU.
    """
    with warnings.catch_warnings():
        # tf-keras-vis imports names that SciPy has moved.
        warnings.simplefilter("ignore")
        from tf_keras_vis.gradcam import Gradcam  # noqa: PLC0415
        from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus  # noqa: PLC0415
        from tf_keras_vis.layercam import Layercam  # noqa: PLC0415
        from tf_keras_vis.utils.model_modifiers import ReplaceToLinear  # noqa: PLC0415

        theirs = {
            Method.GRAD_CAM: Gradcam,
            Method.GRAD_CAM_PLUS_PLUS: GradcamPlusPlus,
            Method.LAYER_CAM: Layercam,
        }
        functional = keras.Model(model.inputs[0], model.outputs[0])
        explainer = theirs[method](functional, model_modifier=ReplaceToLinear(), clone=True)
        maps: Floats = explainer(
            lambda logits: logits[:, index] - logits[:, 1 - index],
            images,
            penultimate_layer=layer,
            seek_penultimate_conv_layer=False,
            expand_cam=False,
            normalize_cam=False,
            **({"activation_modifier": None} if method is Method.GRAD_CAM else {}),
        )

    return np.asarray(maps)


def assert_same_heatmaps(maps: Floats, gradients: Floats, expected: Floats) -> None:
    """Check equality to 1e-5, or to 1e-6 of the filters' contributions where they cancel."""
    pairs = zip(maps, gradients, strict=True)
    ours = np.stack(
        [explanation.signed_map(Method.GRAD_CAM, one, gradient) for one, gradient in pairs]
    )
    contributed = np.abs(maps).max(axis=(0, 1, 2)) @ np.abs(gradients.mean(axis=(1, 2))).max(axis=0)
    np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6 * contributed)
    assert np.abs(expected).max() > 1e-3 * contributed


@pytest.mark.parametrize("layer", ["conv2d", "conv2d_1", "conv2d_2"])
def test_bundle_heatmaps_equal_tf_keras_vis(network: Any, bundle: Bundle, layer: str) -> None:
    images = RNG.random((6, 96, 72, 1), np.float32)

    for index in (0, 1):
        result = bundle.layer_gradients(layer, images, np.full(6, index, np.int32))
        expected = keras_vis_maps(network, layer, images, index)
        assert_same_heatmaps(result.maps, result.gradients, expected)


@pytest.mark.parametrize("method", [Method.GRAD_CAM, Method.GRAD_CAM_PLUS_PLUS, Method.LAYER_CAM])
@pytest.mark.parametrize("layer", ["conv2d", "conv2d_1", "conv2d_2"])
def test_double_precision_maps_equal_tf_keras_vis(network: Any, layer: str, method: Method) -> None:
    # Grad-CAM++ divides by numbers near zero, where float32 is exact only to 1e-4.
    model = in_double_precision(network)
    images = RNG.random((6, 96, 72, 1))

    for index in (0, 1):
        gradcam = replace(explained(network, layer), model=model).gradcam(layer)
        outputs = gradcam(tf.constant(images), tf.constant([index] * 6))

        # Grad-CAM++ of tf-keras-vis has the factor exp(score), which all filters share.
        logits = outputs["logits"].numpy()
        margins = logits[:, index] - logits[:, 1 - index]
        factors = np.exp(margins) if method is Method.GRAD_CAM_PLUS_PLUS else np.ones(6)
        theirs = keras_vis_maps(model, layer, images, index, method) / factors[:, None, None]

        pairs = zip(outputs["maps"].numpy(), outputs["gradients"].numpy(), strict=True)
        ours = np.stack([explanation.signed_map(method, *pair) for pair in pairs])
        if method is not Method.GRAD_CAM:
            ours = ours.clip(0)

        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7 * np.abs(theirs).max())
        assert np.abs(theirs).max() > 0


def with_backbone(alpha: float = 0.35) -> tuple[Any, Any]:
    """Return one classifier twice: with MobileNetV2 nested as a layer, and with it inline."""
    inputs = keras.Input((64, 48, 3))
    nested = keras.applications.MobileNetV2(
        weights=None, include_top=False, input_shape=(64, 48, 3), alpha=alpha
    )
    spread = keras.applications.MobileNetV2(
        weights=None, include_top=False, input_tensor=inputs * 2 - 1, alpha=alpha
    )
    spread.set_weights(nested.get_weights())

    pool = keras.layers.GlobalAveragePooling2D()
    head = keras.layers.Dense(2, activation="softmax", name="head")
    return (
        keras.Model(inputs, head(pool(nested(inputs * 2 - 1)))),
        keras.Model(spread.input, head(pool(spread.output))),
    )


@pytest.mark.parametrize(
    ("layer", "tap"),
    [
        pytest.param("block_6_depthwise", "block_6_depthwise_relu", marks=pytest.mark.interop),
        pytest.param("block_8_project", "block_8_add", marks=pytest.mark.interop),
        ("Conv_1", "out_relu"),
    ],
)
def test_nested_backbone_heatmaps_equal_tf_keras_vis(layer: str, tap: str) -> None:
    keras.utils.set_random_seed(5)
    nested, spread = with_backbone()
    name = f"{nested.layers[-3].name}/{layer}"
    image = RNG.random((1, 64, 48, 1), np.float32)
    gradcam = tf.function(explained(nested, name).gradcam(name))

    for index in (0, 1):
        outputs = gradcam(image, np.array([index], np.int32))
        expected = keras_vis_maps(spread, tap, np.repeat(image, 3, axis=-1), index)
        assert_same_heatmaps(outputs["maps"].numpy(), outputs["gradients"].numpy(), expected)


@pytest.mark.parametrize("layer", CONVOLUTIONS)
def test_demo_network_heatmaps_equal_tf_keras_vis(layer: str) -> None:
    experiment = load_experiment(Path("training/experiments/demo.toml"))
    height = experiment.fit.height
    width = experiment.fit.width
    keras.utils.set_random_seed(3)
    model = build_untrained(experiment)
    # An untrained last layer is zero, so every map would be blank.
    randomise(model.get_layer(LOGITS))
    images = np.maximum(RNG.random((2, height, width, 1), np.float32) - 0.3, 0)

    gradcam = tf.function(explained(model, layer).gradcam(layer))
    outputs = gradcam(images, np.array([1, 1], np.int32))

    expected = keras_vis_maps(model, layer, images, 1)
    assert_same_heatmaps(outputs["maps"].numpy(), outputs["gradients"].numpy(), expected)


def test_bundle_answers_like_the_model_in_memory(network: Any, bundle: Bundle) -> None:
    images = RNG.random((4, 96, 72, 1), np.float32)
    inner = keras.Model(
        network.inputs[0],
        [network.get_layer(layer.name).output for layer in bundle.manifest.layers],
    )

    activations = bundle.activations(images)

    for (name, maps), expected in zip(activations.items(), inner(images), strict=True):
        np.testing.assert_allclose(maps, expected, atol=1e-6, err_msg=name)
    powers = network(images).numpy().astype(np.float64) ** (1 / bundle.manifest.temperature)
    np.testing.assert_allclose(
        bundle.predict(images).probabilities, powers / powers.sum(axis=1, keepdims=True), atol=1e-6
    )


def test_input_gradients_equal_those_in_memory(network: Any, bundle: Bundle) -> None:
    images = RNG.random((2, 96, 72, 1), np.float32)
    with tf.GradientTape() as tape:
        pixels = tf.constant(images)
        tape.watch(pixels)
        # The log odds are the margin, as long as nothing saturates.
        log_odds = tf.math.log(network(pixels)[:, 1] / network(pixels)[:, 0])
    expected = tape.gradient(log_odds, pixels).numpy()
    tolerance = 1e-5 * np.abs(expected).max()

    positive, negative = (
        bundle.input_gradients(images, np.full(2, index, np.int32)) for index in (1, 0)
    )

    np.testing.assert_allclose(positive, expected, atol=tolerance)
    np.testing.assert_allclose(negative, -expected, atol=tolerance)


@pytest.mark.parametrize(
    ("units", "activation"),
    [(2, "softmax"), (4, "softmax"), (2, "linear"), (1, "sigmoid"), (1, "linear")],
)
@pytest.mark.parametrize("separate", [False, True])
def test_logits_are_read_before_any_head(units: int, activation: str, *, separate: bool) -> None:
    """The activation of the head is a layer of its own (`separate`) or that of the dense layer."""
    head = [keras.layers.Activation(activation)] if separate else []
    model = classifier(head, units)
    dense = model.get_layer("dense")
    image = RNG.random((2, 64, 48, 1), np.float32)

    # The dense layer is shared: linear for the expected logits, then with its activation again.
    dense.activation = keras.activations.linear
    expected = keras.Model(model.inputs[0], dense.output)(image).numpy()
    if units == 1:
        expected = np.concatenate([np.zeros_like(expected), expected], axis=1)
    dense.activation = keras.activations.get("linear" if separate else activation)

    scores = explained(model, temperature=2.0).scores(tf.constant(image))

    np.testing.assert_allclose(scores["logits"], expected, atol=1e-6)
    np.testing.assert_allclose(scores["probabilities"], tf.nn.softmax(expected / 2), atol=1e-6)


@pytest.mark.parametrize("units", [1, 2])
def test_offset_is_added_after_temperature(units: int) -> None:
    """A margin of ln 9 halved is ln 3. Less ln 27 it is ln 1/9: odds of 1 to 9."""
    model = classifier([], units)
    dense = model.get_layer("dense")
    bias = np.log([9.0]) if units == 1 else np.log([1.0, 9.0])
    dense.set_weights([np.zeros_like(dense.get_weights()[0]), bias])
    image = tf.constant(RNG.random((1, 64, 48, 1), np.float32))

    network = replace(explained(model, temperature=2.0), offset=-np.log(27.0))

    for scores in (
        network.scores(image),
        network.gradcam("conv2d")(image, tf.constant([1])),
    ):
        assert scores["probabilities"].numpy() == pytest.approx(np.array([[0.9, 0.1]]))
        assert scores["logits"].numpy() == pytest.approx(np.array([[0.0, np.log(9.0)]]))


def test_offset_is_that_of_positive_class() -> None:
    """Three equal logits give odds of 4 : 1 : 1 where ln 4 is added to the first."""
    model = classifier([], units=3)
    dense = model.get_layer("dense")
    dense.set_weights([np.zeros_like(weights) for weights in dense.get_weights()])
    image = tf.constant(RNG.random((1, 64, 48, 1), np.float32))

    network = replace(explained(model), offset=np.log(4.0), positive=0)

    probabilities = network.scores(image)["probabilities"].numpy()
    assert probabilities == pytest.approx(np.array([[4 / 6, 1 / 6, 1 / 6]]))


def test_bundle_with_offset_agrees_with_live_model(export: Export) -> None:
    """Explanations are those of the margin, so the offset does not change them."""
    model = classifier([])
    images = RNG.random((3, 64, 48, 1), np.float32)
    classes = np.array([0, 1, 1], np.int32)
    plain = Bundle.load(export(model, temperature=1.5))
    bundle = Bundle.load(export(model, temperature=1.5, offset=-2.0, overwrite=True))
    live = LiveModel(model, bundle.manifest)

    of_bundle = bundle.layer_gradients("conv2d", images, classes)
    of_live = live.layer_gradients("conv2d", images, classes)
    of_plain = plain.layer_gradients("conv2d", images, classes)

    logits = bundle.predict(images).logits.astype(np.float64)
    margins = (logits[:, 1] - logits[:, 0]) / 1.5 - 2.0
    expected = 1 / (1 + np.exp(-margins))
    for scores in (
        bundle.predict(images),
        live.predict(images),
        of_bundle.scores,
        of_live.scores,
    ):
        assert scores.probabilities[:, 1] == pytest.approx(expected, rel=1e-5)
    np.testing.assert_array_equal(of_bundle.gradients, of_plain.gradients)
    np.testing.assert_allclose(of_live.gradients, of_plain.gradients, rtol=1e-5)


def test_softmax_layer_works_after_its_input_was_read() -> None:
    plain = classifier([])
    model = classifier([keras.layers.Softmax()])
    image = tf.constant(RNG.random((2, 64, 48, 1), np.float32))
    before = model(image).numpy()

    scores = explained(model).scores(image)

    np.testing.assert_allclose(scores["logits"], plain(image), atol=1e-6)
    np.testing.assert_array_equal(model(image), before)


def test_margin_of_many_classes_uses_log_sum_exp() -> None:
    """The margin is the class's logit minus the log sum exp of the other logits."""
    model = classifier([], units=4)
    image = RNG.random((1, 64, 48, 1), np.float32)

    outputs = explained(model, "conv2d").gradcam("conv2d")(tf.constant(image), tf.constant([2]))

    kernel = model.get_layer("dense").get_weights()[0].astype(np.float64)  # [filter, class]
    logits = model(image).numpy()[0].astype(np.float64)
    others = np.exp(logits) * (np.arange(4) != 2)
    slope = kernel[:, 2] - kernel @ (others / others.sum())
    expected = np.broadcast_to(slope / (30 * 22), outputs["gradients"].shape)
    np.testing.assert_allclose(outputs["gradients"], expected, rtol=1e-4, atol=1e-9)


def test_grey_image_is_repeated_for_three_channels() -> None:
    model = classifier([], channels=3)
    image = RNG.random((1, 64, 48, 1), np.float32)

    scores = explained(model).scores(tf.constant(image))

    np.testing.assert_allclose(scores["logits"], model(np.repeat(image, 3, axis=-1)), atol=1e-6)


def centre_taps() -> Any:
    """Return a network of three convolutions that pass on the centre of their windows."""
    keras.utils.set_random_seed(1)
    layers = [keras.Input((64, 48, 1))]
    for number in range(3):
        layers += [
            keras.layers.Conv2D(1, 5, use_bias=False, name=f"conv{number}"),
            keras.layers.MaxPooling2D(),
        ]
    layers[-1] = keras.layers.GlobalAveragePooling2D()
    model = keras.Sequential([*layers, keras.layers.Dense(2)])

    for number in range(3):
        tap = np.zeros((5, 5, 1, 1), np.float32)
        tap[2, 2] = 1
        model.get_layer(f"conv{number}").set_weights([tap])

    return model


def test_cell_responds_to_pixel_at_its_centre() -> None:
    model = centre_taps()
    deepest = convolutional_layers(model, 64, 48)[-1]
    activations = explained(model, deepest.name).activations

    for row, column in [(20, 20), (31, 24), (40, 27), (35, 30)]:
        image = np.zeros((1, 64, 48, 1), np.float32)
        image[0, row, column] = 1

        answer = activations(tf.constant(image))[deepest.name].numpy()[0, :, :, 0]

        cell = np.unravel_index(answer.argmax(), answer.shape)
        x, y = deepest.receptive_field.to_input().apply(int(cell[1]), int(cell[0]))
        assert answer.max() == 1
        assert abs(x - column) <= deepest.receptive_field.stride_x / 2
        assert abs(y - row) <= deepest.receptive_field.stride_y / 2


def test_golden_case_is_reproduced_by_loaded_bundle(
    bundle: Bundle, bundle_path: Path, breast: Pixels
) -> None:
    golden = GoldenCase.load(bundle_path)
    fitted = imaging.fit(breast, bundle.manifest.preprocessing)

    result = bundle.layer_gradients(
        golden.layer, fitted.image[None], np.array([golden.class_index], np.int32)
    )

    heatmap = explanation.heatmap(
        Method.GRAD_CAM, result.maps[0], result.gradients[0], IDENTITY
    ).values
    np.testing.assert_array_equal(golden.pixels, breast)
    assert golden.compare(fitted.image, result.scores.probabilities[0], heatmap) == []
    assert heatmap.max() > 0


def test_card_states_manifest_and_no_medical_device(bundle_path: Path) -> None:
    card = (bundle_path / MODEL_CARD_FILE).read_text()
    manifest = Manifest.model_validate_json((bundle_path / MANIFEST_FILE).read_bytes())

    assert "Not a medical device" in card
    for fact in (
        manifest.intended_use,
        manifest.limitations,
        manifest.training,
        manifest.threshold_rule,
    ):
        assert fact in card
    effective = manifest.layer("conv2d_2").effective_size
    assert effective is not None
    assert 1 < effective.height < 32
    row = (
        f"| `conv2d_2` | deep | 17 x 11 | 8 | 32 x 32 | {effective.height:.0f} x "
        f"{effective.width:.0f} | 4 x 4 | `conv2d_2` | `hires-cam`, `layer-cam`, `eigen-cam` |"
    )
    assert row in card
    assert "| auc | 0.5 |" in card


def test_bundle_is_small_and_readable_by_others(bundle_path: Path) -> None:
    size = sum(file.stat().st_size for file in bundle_path.rglob("*") if file.is_file())

    assert size < 1_000_000
    assert bundle_path.stat().st_mode & 0o005 == 0o005


def test_named_layers_are_explained_in_depth_order(export: Export) -> None:
    keras.utils.set_random_seed(3)
    convolutions = [
        keras.layers.Conv2D(2, 3, padding="same", name=f"conv{number}") for number in range(4)
    ]
    head = [keras.layers.Flatten(), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input((64, 48, 1)), *convolutions, *head])

    manifest = Bundle.load(export(model, layers=["conv2", "conv0"], default_layer="conv0")).manifest

    assert [(layer.name, layer.stage) for layer in manifest.layers] == [
        ("conv0", "early"),
        ("conv2", "middle"),
    ]
    assert manifest.default_layer == "conv0"


def test_deep_network_explains_last_layer_per_grid(export: Export) -> None:
    keras.utils.set_random_seed(3)
    layers: list[Any] = [keras.Input((64, 48, 1))]
    layers += [
        keras.layers.Conv2D(
            8, 3, strides=1 + (number % 6 == 0), padding="same", name=f"conv{number}"
        )
        for number in range(18)
    ]
    layers += [keras.layers.Flatten(), keras.layers.Dense(2)]

    manifest = Bundle.load(export(keras.Sequential(layers))).manifest

    assert [layer.name for layer in manifest.layers] == ["conv5", "conv11", "conv17"]


class Positions(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Learned places of patches, as those of a vision transformer."""

    def build(self, shape: Any) -> None:
        self.places = self.add_weight(shape=shape[1:], initializer="normal")

    def call(self, patches: Any) -> Any:
        return patches + self.places


def vision_transformer() -> Any:
    """Return a classifier whose only convolution embeds 4 x 3 patches of 16 x 16 pixels."""
    keras.utils.set_random_seed(8)
    inputs = keras.Input((64, 48, 1))
    patches = keras.layers.Conv2D(8, 16, strides=16, name="patches")(inputs)
    tokens = Positions()(keras.layers.Reshape((12, 8))(patches))
    for _ in range(2):
        normal = keras.layers.LayerNormalization()(tokens)
        attended = keras.layers.MultiHeadAttention(2, 4)(normal, normal)
        tokens = keras.layers.Add()([tokens, attended])
    pooled = keras.layers.GlobalAveragePooling1D()(keras.layers.LayerNormalization()(tokens))
    return keras.Model(inputs, keras.layers.Dense(2)(pooled))


def test_vision_transformer_suits_methods_of_input_alone(export: Export, breast: Pixels) -> None:
    bundle = Bundle.load(export(vision_transformer()))
    data = cv2.imencode(".png", breast)[1].tobytes()

    codes = {
        method: [warning.code for warning in explain(bundle, data, method).warnings]
        for method in (Method.HIRES_CAM, Method.OCCLUSION)
    }

    assert [(layer.name, layer.methods) for layer in bundle.manifest.layers] == [("patches", ())]
    assert "method-unsuited-to-layer" in codes[Method.HIRES_CAM]
    assert "method-unsuited-to-layer" not in codes[Method.OCCLUSION]


def explain(bundle: Bundle, data: bytes, method: Method) -> pipeline.Explanation:
    return pipeline.explain(
        bundle, imaging.read, data, Stopwatch(), pipeline.Question(method=method)
    )


def test_existing_bundle_is_replaced_only_on_request(export: Export) -> None:
    model = classifier([])
    out = export(model)
    (out / "mark").touch()

    with pytest.raises(ExportError, match="exists"):
        export(model)
    assert (out / "mark").exists()

    assert Bundle.load(export(model, overwrite=True)).manifest.name == "tiny"
    assert [path.name for path in out.parent.iterdir()] == ["2"]


def test_failed_export_leaves_nothing_behind(export: Export, tmp_path: Path) -> None:
    model = classifier([])
    layer = model.get_layer("conv2d")
    layer.set_weights([np.zeros_like(weights) for weights in layer.get_weights()])

    with pytest.raises(ExportError, match="explains no class of the golden image"):
        export(model)

    assert list((tmp_path / "tiny").iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"layers": ["dense"]}, "Not convolutional layers of the network: dense; there are conv2d"),
        ({"layers": []}, "none named"),
        ({"default_layer": "conv2d_9"}, "not be valid: .*conv2d_9"),
        ({"threshold": 1.5}, "not be valid: threshold"),
        ({"name": "No Slug"}, "not be valid: name"),
        ({"classes": ("a", "b", "c")}, "has 2 classes, but 3 names are given"),
        ({"preprocessing": FitParameters(height=64, width=64)}, r"takes \(64, 48\) pixels"),
    ],
)
def test_facts_that_contradict_the_network_are_refused(
    export: Export, changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ExportError, match=complaint):
        export(classifier([]), **changes)


def in_half_precision() -> Any:
    model = classifier([])
    model.get_layer("conv2d").dtype_policy = keras.DTypePolicy("mixed_bfloat16")

    return model


def in_bytes() -> Any:
    inputs = keras.Input((64, 48, 1), dtype="uint8")
    maps = keras.layers.Conv2D(3, 5)(keras.layers.Rescaling(1 / 255)(inputs))

    return keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(maps)))


def with_two_outputs() -> Any:
    inputs = keras.Input((64, 48, 1), name="image")
    maps = keras.layers.Flatten()(keras.layers.Conv2D(3, 5)(inputs))
    scores = {name: keras.layers.Dense(2, name=name)(maps) for name in ("cancer", "density")}

    return keras.Model({"image": inputs}, scores)


def unbuilt() -> Any:
    return keras.Sequential([keras.layers.Conv2D(3, 5), keras.layers.Flatten()], name="late")


class HiddenGraph(keras.Model):  # type: ignore[misc]
    """A network by subclassing, whose layers Keras knows, but not what `call` does with them."""

    def call(self, images: Any) -> Any:
        return images


def with_moving_weights() -> Any:
    """Return a network whose filters read the corners of their windows alone."""
    model = classifier([])
    corner = np.zeros((5, 5, 1, 3), np.float32)
    corner[0, 0] = 1
    model.get_layer("conv2d").set_weights([corner, np.zeros(3)])

    return model


def with_strided_pointwise() -> Any:
    inputs = keras.Input((64, 48, 1))
    maps = keras.layers.Conv2D(15, 3)(inputs)
    maps = keras.layers.Conv2D(2, 1, strides=2, name="projection")(maps)

    return keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(maps)))


@pytest.mark.parametrize(
    ("build", "complaint"),
    [
        (lambda: classifier([], channels=2), "must be .* 1 or 3"),
        (lambda: classifier([keras.layers.Reshape((2, 1))]), "one output, a score per class"),
        (with_two_outputs, "must have one input, the image, and one output"),
        (in_half_precision, "not compute in float32: 'conv2d'"),
        (in_bytes, "takes uint8, but images are float32 from 0 to 1"),
        (unbuilt, "'late' has no input yet: begin it with `keras.Input"),
        (HiddenGraph, "of the class HiddenGraph, whose code cannot be followed"),
        (with_strided_pointwise, "'projection' is a 1 x 1 convolution with strides"),
        (with_moving_weights, "of layer 'conv2d' should depend .* drawn in another place"),
        (
            lambda: classifier([keras.layers.Activation("sigmoid")]),
            "2 units and the activation 'sigmoid'",
        ),
        (
            lambda: classifier([keras.layers.BatchNormalization()]),
            r"last layer .* \(BatchNormalization\) does not say",
        ),
    ],
    ids=[
        "channels",
        "output",
        "two-outputs",
        "precision",
        "bytes",
        "unbuilt",
        "subclassed",
        "strided-pointwise",
        "moved",
        "multi-label",
        "unclear-head",
    ],
)
def test_network_that_cannot_be_explained_is_refused(
    export: Export, build: Callable[[], Any], complaint: str
) -> None:
    with pytest.raises(NotExplainable, match=complaint):
        export(build())
