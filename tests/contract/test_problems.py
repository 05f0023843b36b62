"""Everything a caller can do wrong leaves the service as one shape, held here by one assertion."""

import re
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from PIL import Image
from pydicom.uid import MPEG2MPML, UID, JPEG2000Lossless

from service.api.app import create_app
from service.api.application import MammolensApp
from service.api.problems.documentation import MEDIA_TYPE
from service.api.problems.problem_types import STATUSES
from service.model import FakeModel
from service.runtime import Lane
from service.settings import FAKE, Settings
from tests.support.clients import until_ready
from training.phantoms import Acquisition, Detector, render_view, to_dicom, to_dicom_bytes

STABLE = """
    busy corrupt-image deadline-passed draining empty-image for-processing forbidden internal-error
    invalid-parameter keys-unavailable malformed-request malformed-upload method-not-allowed missing-file
    model-refused no-breast no-scorecard not-a-mammogram not-acceptable not-found not-ready rate-limited
    several-frames tomosynthesis too-many-pixels unauthenticated undecodable-image unknown-class unknown-layer
    unsupported-format unsupported-image unsupported-media-type unsupported-transfer-syntax upload-too-large
    upload-too-slow
"""
SECRET = "Doe^Jane^19560101"
POSTS = ["/predict", "/activations/conv2d", "/gradcam"]


def assert_problem(answer: Response, slug: str) -> dict[str, Any]:
    """The one shape of every failure; returns the problem."""
    kind = next(cls for cls in STATUSES if cls.slug == slug)
    assert answer.headers["content-type"] == MEDIA_TYPE
    problem: dict[str, Any] = answer.json()
    assert problem["type"] == f"urn:mammolens:{slug}"
    assert answer.status_code == problem["status"] == STATUSES[kind]
    assert problem["title"] == kind.title
    assert problem["detail"].endswith((".", "!"))
    assert problem["remedy"]
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert SECRET not in answer.text
    assert "Traceback" not in answer.text
    return problem


def picture(mode: str, size: tuple[int, int], kind: str = "PNG") -> bytes:
    buffer = BytesIO()
    Image.new(mode, size, 7 if mode in {"L", "1"} else None).save(buffer, kind)
    return buffer.getvalue()


def colourful() -> bytes:
    image = Image.merge(
        "RGB", [Image.linear_gradient("L"), Image.new("L", (256, 256)), Image.new("L", (256, 256))]
    )
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


BAD_FILES = {
    "empty-image": b"",
    "unsupported-format": SECRET.encode() * 10,
    "corrupt-image": picture("L", (300, 300))[:60],
    "too-many-pixels": picture("L", (2000, 1001)),
    "no-breast": picture("L", (300, 300)),
    "unsupported-image": colourful(),
}


@pytest.mark.parametrize("route", POSTS)
@pytest.mark.parametrize(("slug", "data"), list(BAD_FILES.items()), ids=list(BAD_FILES))
@pytest.mark.parametrize("raw", [False, True], ids=["form", "raw"])
def test_a_bad_file_is_a_typed_problem_on_every_route(
    client: TestClient, route: str, slug: str, data: bytes, raw: bool
) -> None:
    if raw:
        answer = client.post(
            route, content=data, headers={"content-type": "application/octet-stream"}
        )
    else:
        answer = client.post(route, files={"file": (f"{SECRET}.dcm", data)})
    assert_problem(answer, slug)


def dicom(syntax: UID = JPEG2000Lossless, **elements: object) -> bytes:
    """A phantom as DICOM, with other elements, under another transfer syntax."""
    image = render_view(np.random.default_rng(6), detector=Detector(160, 120))
    dataset = to_dicom(image, Acquisition(transfer_syntax="jpeg2000"))
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset.file_meta.TransferSyntaxUID = syntax
    buffer = BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("slug", "data"),
    [
        ("for-processing", dicom(PresentationIntentType="FOR PROCESSING")),
        ("several-frames", dicom(NumberOfFrames=2)),
        ("tomosynthesis", dicom(ImageType=["DERIVED", "PRIMARY", "TOMOSYNTHESIS"])),
        ("not-a-mammogram", dicom(Modality="CT", PatientName=SECRET)),
        ("corrupt-image", dicom(BitsStored=0, PatientName=SECRET)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_image_that_says_it_is_something_else_is_a_typed_problem(
    client: TestClient, slug: str, data: bytes
) -> None:
    assert_problem(client.post("/predict", files={"file": data}), slug)


def test_a_transfer_syntax_that_is_not_read_is_named_with_those_that_are(
    client: TestClient,
) -> None:
    problem = assert_problem(
        client.post("/predict", files={"file": dicom(MPEG2MPML)}), "unsupported-transfer-syntax"
    )
    assert "MPEG2" in problem["detail"]
    assert "JPEG-LS Lossless Image Compression" in problem["available_transfer_syntaxes"]


def test_an_image_that_takes_too_long_is_a_typed_problem(
    app: MammolensApp, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert app.parts.engine._readers is not None
    for process in app.parts.engine._readers._processes:
        monkeypatch.setattr(process, "_limits", replace(process._limits, max_seconds=1e-6))
    image = render_view(np.random.default_rng(6), detector=Detector(800, 600))
    data = to_dicom_bytes(image, Acquisition(transfer_syntax="jpeg2000"))
    assert_problem(client.post("/predict", files={"file": data}), "undecodable-image")


@pytest.mark.parametrize("route", POSTS)
def test_a_form_without_a_file_is_a_typed_problem(client: TestClient, route: str) -> None:
    assert_problem(client.post(route, files={"image": ("a.png", b"x")}), "missing-file")
    boundary = {"content-type": "multipart/form-data; boundary=b"}
    text_part = f'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n{SECRET}\r\n--b--\r\n'
    assert_problem(client.post(route, content=text_part, headers=boundary), "missing-file")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--b\r\n"),
        ("multipart/form-data; boundary=b", b"nonsense without any boundary"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nxx',
        ),
    ],
    ids=["no boundary", "no part", "cut off"],
)
def test_a_form_that_cannot_be_parsed_is_a_typed_problem(
    client: TestClient, content_type: str, body: bytes
) -> None:
    answer = client.post("/predict", content=body, headers={"content-type": content_type})
    assert answer.json()["type"] in {"urn:mammolens:malformed-upload", "urn:mammolens:missing-file"}
    assert_problem(answer, answer.json()["type"].removeprefix("urn:mammolens:"))


def test_two_files_in_one_form_are_a_typed_problem(
    client: TestClient, mammogram_png: bytes
) -> None:
    files = [("file", ("a.png", mammogram_png)), ("file", ("b.png", mammogram_png))]
    assert_problem(client.post("/predict", files=files), "malformed-upload")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/json", "application/x-www-form-urlencoded", ""]
)
def test_a_body_of_another_type_is_refused_with_the_types_that_are_taken(
    client: TestClient, mammogram_png: bytes, content_type: str
) -> None:
    answer = client.post("/predict", content=mammogram_png, headers={"content-type": content_type})
    assert "image/png" in assert_problem(answer, "unsupported-media-type")["available_types"]


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "streamed"])
@pytest.mark.parametrize("raw", [True, False], ids=["raw", "form"])
def test_a_body_over_the_limit_is_refused_whether_it_is_announced_or_not(
    client: TestClient, announced: bool, raw: bool
) -> None:
    body = b"\0" * 4_200_000
    headers = {"content-type": "application/dicom"}
    if not raw:
        body = (
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
            + body
            + b"\r\n--b--\r\n"
        )
        headers = {"content-type": "multipart/form-data; boundary=b"}
    content = (
        body
        if announced
        else (body[start : start + 65_536] for start in range(0, len(body), 65_536))
    )
    problem = assert_problem(
        client.post("/predict", content=content, headers=headers), "upload-too-large"
    )
    assert problem["max_upload_bytes"] == 4_000_000


def test_a_file_barely_over_the_limit_is_refused_although_a_form_may_be_a_little_larger(
    client: TestClient,
) -> None:
    assert_problem(client.post("/predict", files={"file": b"\0" * 4_000_001}), "upload-too-large")
    assert_problem(client.post("/predict", files={"file": b"\0" * 4_000_000}), "unsupported-format")


def test_the_limit_on_pixels_is_told(client: TestClient) -> None:
    answer = client.post("/predict", files={"file": BAD_FILES["too-many-pixels"]})
    assert assert_problem(answer, "too-many-pixels")["max_pixels"] == 2_000_000


def test_an_unknown_layer_is_refused_with_those_there_are(
    client: TestClient, mammogram_png: bytes
) -> None:
    for answer in (
        client.post(f"/activations/{SECRET}", files={"file": mammogram_png}),
        client.post("/gradcam", params={"layer": SECRET}, files={"file": mammogram_png}),
        client.post("/activations/", files={"file": mammogram_png}),
        client.post("/gradcam", params={"layer": ""}, files={"file": mammogram_png}),
    ):
        assert assert_problem(answer, "unknown-layer")["available_layers"] == ["conv2d"]


def test_an_unknown_class_is_refused_with_those_there_are(
    client: TestClient, mammogram_png: bytes
) -> None:
    answer = client.post("/gradcam", params={"class": SECRET}, files={"file": mammogram_png})
    assert assert_problem(answer, "unknown-class")["available_classes"] == ["no_cancer", "cancer"]


@pytest.mark.parametrize(
    ("route", "params", "named"),
    [
        ("/gradcam", {"opacity": "1.5"}, "opacity"),
        ("/gradcam", {"opacity": SECRET}, "opacity"),
        ("/gradcam", {"colormap": SECRET}, "colormap"),
        ("/gradcam", {"render": "both"}, "render"),
        ("/gradcam", {"size": "0"}, "size"),
        ("/gradcam", {"size": "big"}, "size"),
        ("/gradcam", {"colormpa": "jet"}, "colormpa"),
        ("/gradcam", {SECRET: "1"}, "(not a parameter name)"),
        ("/activations/conv2d", {"scale": "max"}, "scale"),
        ("/predict", {"layer": "conv2d"}, "layer"),
    ],
)
def test_an_option_that_cannot_be_taken_is_named_but_its_value_is_not_repeated(
    client: TestClient, mammogram_png: bytes, route: str, params: dict[str, str], named: str
) -> None:
    answer = client.post(route, params=params, files={"file": mammogram_png})
    invalid = assert_problem(answer, "invalid-parameter")["invalid_parameters"]
    assert {found["parameter"] for found in invalid} == {named}


@pytest.mark.parametrize("route", POSTS)
def test_an_accept_header_without_a_type_of_ours_is_refused(
    client: TestClient, mammogram_png: bytes, route: str
) -> None:
    answer = client.post(route, files={"file": mammogram_png}, headers={"accept": "text/html"})
    assert "application/json" in assert_problem(answer, "not-acceptable")["available_types"]


def test_predictions_are_not_to_be_had_as_pictures(
    client: TestClient, mammogram_png: bytes
) -> None:
    answer = client.post("/predict", files={"file": mammogram_png}, headers={"accept": "image/png"})
    assert assert_problem(answer, "not-acceptable")["available_types"] == ["application/json"]


def test_a_route_that_is_not_there_is_a_typed_problem(client: TestClient) -> None:
    assert_problem(client.get(f"/patients/{SECRET}"), "not-found")


@pytest.mark.parametrize(
    ("method", "route"), [("GET", "/predict"), ("DELETE", "/gradcam"), ("POST", "/readyz")]
)
def test_a_method_that_is_not_there_is_a_typed_problem_with_those_allowed(
    client: TestClient, method: str, route: str
) -> None:
    answer = client.request(method, route)
    assert_problem(answer, "method-not-allowed")
    assert answer.headers["allow"]


def test_a_model_without_a_scorecard_says_so_when_asked_and_on_every_answer(
    mammogram_png: bytes,
) -> None:
    class Untested(FakeModel):
        scorecard = None

    with TestClient(create_app(Settings(model=FAKE), lambda _: Untested())) as client:
        until_ready(client)
        assert_problem(client.get("/model/scorecard"), "no-scorecard")
        answer = client.post("/predict", files={"file": mammogram_png}).json()
        assert "no-scorecard" in [warning["code"] for warning in answer["warnings"]]


@pytest.mark.parametrize("route", ["/readyz", "/model", "/model/layers", "/model/scorecard"])
def test_until_the_model_is_loaded_everything_but_liveness_says_not_ready(route: str) -> None:
    unready = TestClient(
        create_app(Settings(model=FAKE))
    )  # never started: its lifespan has not run
    answer = unready.get(route)
    assert_problem(answer, "not-ready")
    assert answer.headers["retry-after"]
    assert unready.get("/livez").json() == {"status": "alive"}


def test_where_as_many_wait_as_may_the_next_one_is_told_when_to_come_back(
    app: MammolensApp, client: TestClient, mammogram_png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.parts.engine.lanes[Lane.PREDICT], "_max_waiting", 0)
    answer = client.post("/predict", files={"file": mammogram_png})
    assert_problem(answer, "busy")
    assert re.fullmatch(r"\d+", answer.headers["retry-after"])


def test_a_fault_of_ours_is_a_typed_problem_without_any_detail(
    client: TestClient, mammogram_png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr("service.pipeline.predict", fail)
    assert_problem(client.post("/predict", files={"file": mammogram_png}), "internal-error")


def test_every_refusal_gives_its_place_back(app: MammolensApp, client: TestClient) -> None:
    lane = app.parts.engine.lanes[Lane.PREDICT]
    for data in BAD_FILES.values():
        client.post("/predict", files={"file": data})
    assert (lane.waiting, lane.in_flight) == (0, 0)


def test_types_of_problems_are_stable() -> None:
    assert sorted(cls.slug for cls in STATUSES) == STABLE.split()
