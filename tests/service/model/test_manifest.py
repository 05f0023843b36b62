import hashlib
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from service.errors import UnknownLayer
from service.model import MANIFEST_FILE, FakeModel, Manifest, checksums, gradcam_signature
from service.records import FitParameters, Method
from tests.support.level_facts import levels, provenance

MANIFEST = FakeModel().manifest


def test_manifest_survives_its_file() -> None:
    complete = MANIFEST.model_copy(
        update={
            "offset": -2.5,
            "deployment_prevalence": 0.006,
            "levels": levels(MANIFEST.threshold),
            "provenance": provenance(),
        }
    )

    for manifest in (MANIFEST, complete):
        assert Manifest.model_validate_json(manifest.model_dump_json(indent=2)) == manifest


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": 1},
        {"name": "Not A Slug"},
        {"version": 0},
        {"threshold": 1.01},
        {"temperature": 0},
        {"classes": ["cancer"]},
        {"classes": ["cancer", "cancer"]},
        {"positive_class": "malignant"},
        {"default_layer": "conv2d_9"},
        {"feature_layers": ["conv2d_9"]},
        {"feature_layers": []},
        {"layers": [MANIFEST.layers[0]] * 2},
        {"layers": [asdict(MANIFEST.layers[0]) | {"tap": ()}]},
        {"layers": [asdict(MANIFEST.layers[0]) | {"tap": ("other",)}]},
        {"figures": {"auc": float("nan")}},
        {"files": {"saved_model.pb": "0123"}},
        {"preprocessing": {"height": 0, "width": 96}},
        {"limitations": " "},
        {"offset": float("inf")},
        {"deployment_prevalence": 0.0},
        {"deployment_prevalence": 1.0},
        {"levels": levels(threshold=0.4)},
        {"provenance": provenance().model_dump() | {"table_sha256": "0123"}},
        {"provenance": provenance().model_dump() | {"patients": {"train": -1}}},
        {"reference": {"images": 1, "ranges": {}, "peaks": {"conv2d": {"grad-cam": 0}}}},
        {"unheard_of": 1},
    ],
    ids=",".join,
)
def test_invalid_manifest_is_rejected(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Manifest.model_validate(MANIFEST.model_dump() | change)


def test_unknown_layer_error_lists_available_layers() -> None:
    with pytest.raises(UnknownLayer) as caught:
        MANIFEST.layer("conv2d_9")

    assert caught.value.facts["available_layers"] == ("conv2d",)


def test_signature_names_are_escaped() -> None:
    """They consist of letters, digits and underscores."""
    assert gradcam_signature("mobilenetv2_0.35_96/Conv_1") == "gradcam_mobilenetv2_0_35_96_Conv_1"


def test_checksums_cover_every_file_except_manifest(tmp_path: Path) -> None:
    (tmp_path / MANIFEST_FILE).parent.mkdir()
    (tmp_path / MANIFEST_FILE).write_text("{}")
    (tmp_path / "variables").mkdir()
    (tmp_path / "variables" / "data").write_bytes(b"weights")

    assert checksums(tmp_path) == {"variables/data": hashlib.sha256(b"weights").hexdigest()}


def test_layers_need_not_tell_methods_and_size() -> None:
    written = MANIFEST.model_dump()
    del written["layers"][0]["methods"]
    del written["layers"][0]["effective_size"]

    (layer,) = Manifest.model_validate(written).layers

    assert (layer.methods, layer.effective_size) == (None, None)


def test_layers_of_older_manifest_need_no_tap() -> None:
    written = MANIFEST.model_dump() | {"schema_version": 2}
    del written["layers"][0]["tap"]

    manifest = Manifest.model_validate(written)

    assert manifest.is_older
    assert not MANIFEST.is_older


@pytest.mark.parametrize("version", [2, 3])
def test_manifest_needs_no_levels_and_provenance(version: int) -> None:
    written = MANIFEST.model_dump() | {"schema_version": version}
    for name in ("offset", "deployment_prevalence", "levels", "provenance"):
        del written[name]

    manifest = Manifest.model_validate(written)

    assert manifest.offset == 0
    assert manifest.deployment_prevalence is None
    assert (manifest.levels, manifest.provenance) == (None, None)


@pytest.mark.parametrize(
    ("grid", "maps", "images"),
    [
        # 252 x 188 x 16 x 4 bytes = 3.03 MB: 22 images, but 16 at most.
        ((256, 192), (252, 188, 16), 16),
        # 320 x 200 x 96 x 4 bytes = 24.6 MB.
        ((640, 400), (320, 200, 96), 2),
        # The last layer alone: 640 x 400 x 16 x 4 bytes = 16.4 MB for the layers before it.
        ((640, 400), (20, 13, 1280), 4),
        ((3328, 2560), (104, 80, 2048), 1),
    ],
)
def test_large_maps_leave_fewer_images_per_call(
    grid: tuple[int, int], maps: tuple[int, int, int], images: int
) -> None:
    """64 MiB are 67.1 MB."""
    height, width, filters = maps
    layer = replace(MANIFEST.layers[0], height=height, width=width, filters=filters)
    changes = {"preprocessing": FitParameters(*grid), "layers": (layer,)}

    manifest = MANIFEST.model_copy(update=changes)

    assert manifest.images_per_call == images


def test_manifest_of_earlier_scorecard_has_no_peak() -> None:
    """Nor has a manifest without a scorecard."""
    written = MANIFEST.model_dump()
    del written["reference"]["peaks"]

    manifest = Manifest.model_validate(written)

    assert MANIFEST.reference_peak("conv2d", Method.GRAD_CAM) == 0.008
    assert MANIFEST.reference_peak("conv2d", Method.EIGEN_CAM) is None
    assert manifest.reference_peak("conv2d", Method.GRAD_CAM) is None
    untested = MANIFEST.model_copy(update={"reference": None})
    assert untested.reference_peak("conv2d", Method.GRAD_CAM) is None
