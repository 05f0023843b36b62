"""POST /exam/dicom: the objects of an exam in one body, and the memory that they take."""

from email import message_from_bytes, policy
from io import BytesIO
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from pydicom import dcmread

from service.api.app import create_app
from service.api.application import MammolensApp
from service.settings import FAKE, Settings
from tests.contract.test_problems import assert_problem
from tests.support.clients import until_ready
from tests.support.paths import ROOT

SAMPLES = sorted((ROOT / "docs" / "sample-exam").glob("*.dcm"))
EXAM = [("file", path.read_bytes()) for path in SAMPLES]


def post(client: TestClient, files: list[tuple[str, bytes]] = EXAM, **options: Any) -> Response:
    headers = {"x-request-id": "request-1"}
    return client.post("/exam/dicom", params=options, files=files, headers=headers)


def objects_in(answer: Response) -> list[Any]:
    """Return the objects of an answer, as Python's parser of mail finds them."""
    head = f"Content-Type: {answer.headers['content-type']}\n\n".encode()
    message = message_from_bytes(head + answer.content, policy=policy.HTTP)
    parts = [part.get_payload(decode=True) for part in message.iter_parts()]
    return [dcmread(BytesIO(part)) for part in parts if isinstance(part, bytes)]


def test_one_body_has_every_object_of_exam(client: TestClient) -> None:
    answer = post(client, negatives=True)

    made = objects_in(answer)
    assert answer.headers["content-type"] == (
        'multipart/related; type="application/dicom"; boundary=mammolens'
    )
    assert [item.Modality for item in made] == ["OT", *["SR"] * 5, *["OT"] * 4, *["SEG"] * 4]
    assert {item.StudyInstanceUID for item in made} == {dcmread(SAMPLES[0]).StudyInstanceUID}
    assert len({item.SeriesInstanceUID for item in made}) == len(made)


def test_wanted_objects_alone_are_made(client: TestClient) -> None:
    made = objects_in(post(client, objects="report"))

    assert [item.Modality for item in made] == ["SR"]


def test_same_request_gives_same_exam_objects(client: TestClient) -> None:
    first, second = (
        [item.SOPInstanceUID for item in objects_in(post(client, objects="summary,report"))]
        for _ in range(2)
    )

    assert first == second


def test_refused_image_leaves_the_others_objects(client: TestClient) -> None:
    files = [("file", b"no image"), *EXAM[:1]]

    made = objects_in(post(client, files, objects="sc,report", negatives=True))

    assert [item.Modality for item in made] == ["SR", "OT"]
    assert made[1].Laterality == "L"


def test_exam_without_wanted_object_is_a_problem(client: TestClient) -> None:
    """The stand-in decides every sample negative."""
    assert_problem(post(client, objects="sc,seg"), "no-object")


def test_exam_of_one_image_has_its_documented_problem(client: TestClient) -> None:
    answer = post(client, EXAM[:1], objects="sc")

    assert_problem(answer, "decided-negative")
    operation = client.get("/openapi.json").json()["paths"]["/exam/dicom"]["post"]
    (content,) = operation["responses"]["422"]["content"].values()
    assert {"decided-negative", "no-region", "no-object"} <= content["examples"].keys()


def test_unknown_object_of_exam_is_a_problem(client: TestClient) -> None:
    answer = post(client, objects="sc,cad")

    (named,) = assert_problem(answer, "invalid-parameter")["invalid_parameters"]
    assert named["parameter"] == "objects"


def test_pictures_without_study_have_no_objects(client: TestClient, mammogram_png: bytes) -> None:
    files = [*EXAM[:1], ("L-CC", mammogram_png)]

    problem = assert_problem(post(client, files), "not-storable")

    assert problem["detail"].startswith("File 2 of the exam is not DICOM")


def test_memory_of_objects_is_bounded() -> None:
    """Half of 10 MB are for one caller. The overlays of four samples have 3 bytes a pixel."""
    sizes = [item.Rows * item.Columns * 3 for item in map(dcmread, SAMPLES)]
    small = create_app(
        Settings(
            model=FAKE,
            max_upload_bytes=2_000_000,
            max_exam_bytes=4_000_000,
            max_body_bytes=10_000_000,
            max_pixels=2_000_000,
            readers=1,
        )
    )
    assert sum(sizes) > 5_000_000

    with TestClient(small) as connected:
        until_ready(connected)
        problem = assert_problem(post(connected, objects="sc", negatives=True), "objects-too-large")
        packed = post(connected, objects="sc", negatives=True, sc_syntax="jpeg-ls")
        held = small.parts.engine.bodies.held_bytes

    assert "jpeg-ls" in problem["remedy"]
    assert packed.status_code == 200
    assert held == 0


@pytest.mark.parametrize("objects", ["report", "sc"])
def test_nothing_is_held_after_exams(app: MammolensApp, client: TestClient, objects: str) -> None:
    post(client, objects=objects)

    assert app.parts.engine.bodies.held_bytes == 0
