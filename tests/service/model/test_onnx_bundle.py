"""The bundle run by onnxruntime: what TensorFlow answers, and how a bundle without graphs fails."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from service import explanation
from service.errors import BundleDamaged, BundleUnloadable, GraphsMissing
from service.explanation import METHODS
from service.geometry import IDENTITY
from service.model import Bundle, OnnxBundle, graph_file
from service.records import Method
from tests.support.model_answers import CLASSES, IMAGES, answers, rewrite_manifest

TOLERANCE = 1e-5  # of the largest value
HEAT_TOLERANCE = 1e-4  # of the heatmap's peak
# Its weights have poles, near which the rounding of gradients is enlarged.
POLES_TOLERANCE = 1e-2


@pytest.fixture(scope="module")
def beside(graphs_path: Path) -> Bundle:
    """The version with graphs, run by TensorFlow."""
    return Bundle.load(graphs_path)


@pytest.fixture(scope="module")
def graphs(graphs_path: Path) -> OnnxBundle:
    return OnnxBundle.load(graphs_path)


@pytest.fixture
def copy(graphs_path: Path, tmp_path: Path) -> Path:
    return shutil.copytree(graphs_path, tmp_path / "2")


def test_every_array_is_that_of_tensorflow(beside: Bundle, graphs: OnnxBundle) -> None:
    expected = answers(beside, IMAGES, CLASSES)
    arrays = answers(graphs, IMAGES, CLASSES)

    assert arrays.keys() == expected.keys()
    for name, array in arrays.items():
        assert array.dtype == np.float32
        np.testing.assert_allclose(
            array,
            expected[name],
            rtol=0,
            atol=TOLERANCE * np.abs(expected[name]).max(),
            err_msg=name,
        )


@pytest.mark.parametrize("method", METHODS)
def test_heatmaps_are_those_of_tensorflow(
    method: Method, beside: Bundle, graphs: OnnxBundle
) -> None:
    for layer in graphs.manifest.layers:
        expected, heat = (
            explanation.heatmap(method, one.maps[0], one.gradients[0], IDENTITY).values
            for one in (
                model.layer_gradients(layer.name, IMAGES[:1], CLASSES[:1])
                for model in (beside, graphs)
            )
        )

        has_poles = method is Method.GRAD_CAM_PLUS_PLUS
        tolerance = POLES_TOLERANCE if has_poles else HEAT_TOLERANCE
        assert np.abs(heat - expected).max() <= tolerance * np.abs(expected).max()


def test_digest_is_the_same(beside: Bundle, graphs: OnnxBundle) -> None:
    assert graphs.digest == beside.digest


def test_threads_get_answers_of_their_images(graphs: OnnxBundle) -> None:
    expected = [graphs.predict(IMAGES[i : i + 1]).logits for i in range(5)]

    with ThreadPoolExecutor(4) as pool:
        concurrent = list(
            pool.map(lambda i: graphs.predict(IMAGES[i % 5 : i % 5 + 1]).logits, range(40))
        )

    for i, logits in enumerate(concurrent):
        np.testing.assert_allclose(logits, expected[i % 5], rtol=1e-5)


def test_graphs_need_no_tensorflow(graphs_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from service import pipeline
from service.model import GoldenCase, OnnxBundle
path = Path({str(graphs_path)!r})
bundle = OnnxBundle.load(path, threads=1)
pipeline.replay(bundle, GoldenCase.load(path))
pipeline.warm(bundle)
print([name for name in ("tensorflow", "keras", "onnx") if name in sys.modules])
"""

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_graphs_send_nothing_to_the_maker(graphs_path: Path, tmp_path: Path) -> None:
    """Before it sends events, onnxruntime writes the identity of the device into a file."""
    code = f"""
from pathlib import Path
from service.model import OnnxBundle
from service import pipeline
pipeline.warm(OnnxBundle.load(Path({str(graphs_path)!r}), threads=1))
"""
    hidden = {"XDG_CACHE_HOME", "ORT_DISABLE_TELEMETRY"}
    kept = {name: value for name, value in os.environ.items() if name not in hidden}

    subprocess.run([sys.executable, "-c", code], env={**kept, "HOME": str(tmp_path)}, check=True)

    assert not [*tmp_path.rglob("*")]


def test_signature_without_graph_runs_in_tensorflow(copy: Path, beside: Bundle) -> None:
    (copy / graph_file("input_gradients")).unlink()
    rewrite_manifest(copy, lambda _: None)

    bundle = OnnxBundle.load(copy)

    expected = beside.input_gradients(IMAGES, CLASSES)
    np.testing.assert_allclose(bundle.input_gradients(IMAGES, CLASSES), expected, rtol=1e-5)


def test_bundle_without_graphs_names_the_remedy(bundle_path: Path) -> None:
    with pytest.raises(GraphsMissing, match=r"training onnx.*MAMMOLENS_ENGINE=tensorflow"):
        OnnxBundle.load(bundle_path)


def test_altered_graph_is_named(copy: Path) -> None:
    with (copy / graph_file("activations")).open("ab") as file:
        file.write(b"x")

    with pytest.raises(BundleDamaged, match=r"altered: onnx/activations\.onnx"):
        OnnxBundle.load(copy)


def test_unreadable_graph_is_damaged(copy: Path) -> None:
    (copy / graph_file("activations")).write_bytes(b"no graph")
    rewrite_manifest(copy, lambda _: None)

    with pytest.raises(BundleDamaged, match=r"onnxruntime .* cannot load .*activations\.onnx"):
        OnnxBundle.load(copy)


def test_graph_of_another_network_is_damaged(copy: Path) -> None:
    shutil.copy(copy / graph_file("activations"), copy / graph_file("serving_default"))
    rewrite_manifest(copy, lambda _: None)

    with pytest.raises(BundleDamaged, match="not those its manifest describes"):
        OnnxBundle.load(copy)


def test_failing_call_on_trial_is_damage(graphs: OnnxBundle) -> None:
    with (
        pytest.raises(BundleDamaged, match="onnxruntime cannot run model untrained/2"),
        graphs.on_trial(),
    ):
        graphs.run("serving_default", images=IMAGES.astype(np.float64))


def test_missing_runtime_names_the_extra(
    graphs_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)

    with pytest.raises(BundleUnloadable, match="Install the extra `onnx`"):
        OnnxBundle.load(graphs_path)
