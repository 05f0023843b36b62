"""POST /gradcam/{object}.dcm: one object of one image, and the refusals."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from pydicom import FileDataset, dcmread
from pydicom.uid import ComprehensiveSRStorage, SecondaryCaptureImageStorage, SegmentationStorage

from service.api.application import MammolensApp
from tests.contract.test_problems import assert_problem
from training.phantoms import Acquisition, Detector, render_view, to_dicom

CLASSES = {
    "summary": SecondaryCaptureImageStorage,
    "report": ComprehensiveSRStorage,
    "marks": ComprehensiveSRStorage,
    "sc": SecondaryCaptureImageStorage,
    "seg": SegmentationStorage,
}


def phantom(**elements: Any) -> FileDataset:
    image = render_view(np.random.default_rng(6), detector=Detector(480, 320))
    dataset = to_dicom(image, Acquisition(transfer_syntax="jpeg2000"))
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def file_of(dataset: FileDataset) -> bytes:
    buffer = BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


def post(client: TestClient, name: str, data: bytes, **options: Any) -> Response:
    """Post the file with the ID `request-1`."""
    return client.post(
        f"/gradcam/{name}.dcm",
        params=options,
        files={"file": data},
        headers={"x-request-id": "request-1"},
    )


@pytest.mark.parametrize("name", list(CLASSES))
def test_each_object_belongs_to_study_of_its_image(client: TestClient, name: str) -> None:
    source = phantom()

    answer = post(client, name, file_of(source), negatives=True)

    made = dcmread(BytesIO(answer.content))
    assert answer.headers["content-type"] == "application/dicom"
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert made.SOPClassUID == CLASSES[name]
    assert made.StudyInstanceUID == source.StudyInstanceUID
    assert made.PatientID == source.PatientID
    assert made.SeriesInstanceUID != source.SeriesInstanceUID


def test_headers_name_model_warnings_and_steps(client: TestClient) -> None:
    headers = post(client, "sc", file_of(phantom()), negatives=True).headers

    assert headers["mammolens-model"] == "fake/1"
    assert "scorecard" in headers["mammolens-warnings"]
    assert {"decode", "explain", "render", "object"} <= {
        step.partition(";")[0] for step in headers["server-timing"].split(", ")
    }


@pytest.mark.parametrize("name", ["report", "seg"])
def test_same_request_gives_same_identifiers(client: TestClient, name: str) -> None:
    data = file_of(phantom())

    first, second = (
        dcmread(BytesIO(post(client, name, data, negatives=True).content)) for _ in range(2)
    )

    assert first.SOPInstanceUID == second.SOPInstanceUID
    assert first.SeriesInstanceUID == second.SeriesInstanceUID


def test_overlay_has_size_of_source_and_syntax(client: TestClient) -> None:
    """JPEG-LS keeps every value of the uncompressed overlay."""
    data = file_of(phantom())

    raw, packed = (
        dcmread(BytesIO(post(client, "sc", data, negatives=True, sc_syntax=syntax).content))
        for syntax in ("raw", "jpeg-ls")
    )

    assert (raw.Rows, raw.Columns, raw.SamplesPerPixel) == (480, 320, 3)
    assert len(packed.PixelData) < len(raw.PixelData)
    np.testing.assert_array_equal(raw.pixel_array, packed.pixel_array)


@pytest.mark.parametrize("name", ["marks", "sc", "seg"])
def test_negative_image_has_no_heat_to_store(client: TestClient, name: str) -> None:
    """The stand-in decides the phantom negative."""
    problem = assert_problem(post(client, name, file_of(phantom())), "decided-negative")

    assert "negatives=true" in problem["remedy"]


def test_picture_without_study_is_a_problem(client: TestClient, mammogram_png: bytes) -> None:
    assert_problem(post(client, "report", mammogram_png), "not-storable")


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID"])
def test_file_without_identity_is_a_problem(client: TestClient, keyword: str) -> None:
    source = phantom()
    del source[keyword]

    assert_problem(post(client, "report", file_of(source)), "not-storable")


def test_unknown_object_is_named(client: TestClient) -> None:
    answer = post(client, "cad", file_of(phantom()))

    (named,) = assert_problem(answer, "invalid-parameter")["invalid_parameters"]
    assert named["parameter"] == "object"


def test_refused_file_has_its_own_problem(client: TestClient) -> None:
    assert_problem(post(client, "report", b"no image"), "unsupported-format")


def test_nothing_is_held_after_answers(app: MammolensApp, client: TestClient) -> None:
    post(client, "report", file_of(phantom()))
    post(client, "sc", file_of(phantom()))

    assert app.parts.engine.bodies.held_bytes == 0
