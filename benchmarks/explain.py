"""Measures the cost of explanations: the routes, and Grad-CAM against tf-keras-vis and xplique.

    python -m benchmarks.explain

Everything is measured in turn in one run, on the demo bundle and a phantom, so that ratios are
meaningful.
"""

import argparse
import os
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from benchmarks.serve import post, service
from benchmarks.timing import measure, phantom_files
from service import explanation, imaging
from service.geometry import IDENTITY
from service.imaging import read
from service.model import Bundle
from service.pipeline.class_explanation import Subject, explain_class
from service.records import Floats, Method
from training import phantoms

BUNDLE = Path("models/demo/1")
RUN = Path("runs/demo/best.keras")
DETECTOR = phantoms.Detector(rows=960, columns=720)
TOLERANCE = 0.01
# Of /gradcam.
QUERIES = (
    "",
    "method=hires-cam",
    "diagnostics=full",
    "method=integrated-gradients",
    "method=occlusion",
)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rounds", type=int, default=20, help="rounds of each measurement (default 20)"
    )
    parser.add_argument(
        "--phantoms",
        type=int,
        default=20,
        help="phantoms for the completeness of integrated gradients (default 20)",
    )
    options = parser.parse_args()

    print(f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}")
    images = phantom_files(("explicit", "jpeg2000"))
    with service() as client:
        for name, data in images.items():
            routes = {"/predict": partial(post, client, "/predict", data)}
            routes |= {
                f"/gradcam?{query}": partial(post, client, f"/gradcam?{query}", data)
                for query in QUERIES
            }
            times = measure(routes, options.rounds)
            for route, milliseconds in times.items():
                print(
                    f"{name:<10} {route:<40} {milliseconds:8.1f} ms  "
                    f"{milliseconds / times['/predict']:6.2f} x /predict"
                )

    others(images["explicit"], options.rounds)
    completeness(options.phantoms)


def others(data: bytes, rounds: int) -> None:
    """Print the cost of Grad-CAM of one fitted image.

    This project's goes from the bundle to the heatmap. The other libraries use the Keras model.
    """
    bundle = Bundle.load(BUNDLE)
    image = read(data, bundle.manifest.preprocessing).fitted.image[None]
    network = keras.saving.load_model(RUN, compile=False)
    layer = bundle.manifest.default_layer

    ways: dict[str, Callable[[], object]] = {
        "predict": lambda: bundle.predict(image),
        "ours": partial(ours, bundle, image),
        "ours, with quick diagnostics": partial(diagnosed, bundle, image),
        "tf-keras-vis": keras_vis(network, layer, image),
        "xplique": xplique(network, layer, image),
    }
    times = measure(ways, rounds)
    for name, milliseconds in times.items():
        print(f"{name:<30} {milliseconds:8.1f} ms  {milliseconds / times['ours']:6.2f} x ours")


def completeness(count: int) -> None:
    """Print the error of the sum of integrated gradients on phantoms, half of them with a mass."""
    bundle = Bundle.load(BUNDLE)
    errors = []
    for seed in range(count):
        findings = (phantoms.Finding(phantoms.FindingKind.SPICULATED_MASS),) if seed % 2 else ()
        image = phantoms.render_view(
            np.random.default_rng(seed), findings=findings, detector=DETECTOR
        )
        fitted = imaging.fit(image.pixels, bundle.manifest.preprocessing)
        subject = Subject(fitted.image, fitted.mask)
        explained = explain_class(
            bundle,
            subject,
            Method.INTEGRATED_GRADIENTS,
            bundle.manifest.default_layer,
            1,
            full=False,
        )
        errors.append(explained.figures["completeness"])

    for kind, sample in {"with a mass": errors[1::2], "without": errors[::2]}.items():
        within = np.mean(np.array(sample) < TOLERANCE)
        print(
            f"completeness, {len(sample)} phantoms {kind}: {np.median(sample):.2%} in the median, "
            f"{np.max(sample):.2%} at most, {within:.0%} within {TOLERANCE:.0%}"
        )


def ours(bundle: Bundle, image: Floats) -> object:
    """Compute the heatmap."""
    output = bundle.layer_gradients(bundle.manifest.default_layer, image, np.ones(1, np.int32))
    return explanation.heatmap(Method.GRAD_CAM, output.maps[0], output.gradients[0], IDENTITY)


def diagnosed(bundle: Bundle, image: Floats) -> object:
    """Compute the heatmap and its figures."""
    layer = bundle.manifest.layer(bundle.manifest.default_layer)
    output = bundle.layer_gradients(layer.name, image, np.ones(1, np.int32))
    mask = image[0, ..., 0] > 0
    return explanation.explain_layer(
        Method.GRAD_CAM, output.maps[0], output.gradients[0], layer, mask, IDENTITY
    )


def keras_vis(network: Any, layer: str, image: Floats) -> Callable[[], object]:
    """Prepare raw Grad-CAM by tf-keras-vis. Return the call to measure."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tf_keras_vis.gradcam import Gradcam  # noqa: PLC0415 - warns on import
        from tf_keras_vis.utils.model_modifiers import ReplaceToLinear  # noqa: PLC0415

    gradcam = Gradcam(
        keras.Model(network.inputs[0], network.outputs[0]),
        model_modifier=ReplaceToLinear(),
        clone=True,
    )

    return partial(
        gradcam,
        lambda logits: logits[:, 1] - logits[:, 0],
        image,
        penultimate_layer=layer,
        seek_penultimate_conv_layer=False,
        expand_cam=False,
        normalize_cam=False,
    )


def xplique(network: Any, layer: str, image: Floats) -> Callable[[], object]:
    """Prepare Grad-CAM by xplique, on the logits as it requires. Return the call to measure."""
    from xplique.attributions import GradCAM  # noqa: PLC0415 - only installed for benchmarks

    logits = keras.Model(network.inputs[0], network.get_layer("logits").output)
    return partial(GradCAM(logits, conv_layer=layer), image, np.array([[0.0, 1.0]], np.float32))


if __name__ == "__main__":
    main()
