"""Every error of a caller is a problem of the same form (RFC 9457), checked by `assert_problem`."""

import asyncio
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
from service.runtime.admission_rule import AdmissionRule
from service.runtime.engine import Lane
from service.settings import FAKE, Settings
from tests.support.clients import until_ready
from training.phantoms import Acquisition, Detector, render_view, to_dicom, to_dicom_bytes

STABLE = """
    audit-unavailable busy corrupt-image deadline-passed decided-negative draining empty-image
    exam-too-large for-processing forbidden foreign-origin head-too-large images-refused
    internal-error invalid-inference invalid-parameter json-too-large keys-unavailable
    malformed-request malformed-upload method-not-allowed misdirected missing-file mixed-exam
    model-refused no-breast no-image-answered no-object no-region no-scorecard not-a-mammogram
    not-acceptable not-fitted not-found not-ready not-storable objects-too-large rate-limited
    several-frames tomosynthesis too-costly too-many-images too-many-pixels unauthenticated
    undecodable-image unknown-class unknown-layer unknown-model unsupported-content-coding
    unsupported-format unsupported-image unsupported-media-type unsupported-transfer-syntax
    upload-too-large upload-too-slow
"""
SECRET = "Doe^Jane^19560101"
POSTS = [
    "/predict", "/activations/conv2d", "/gradcam",
    "/activations/conv2d.png", "/activations/conv2d.jpeg", "/gradcam.png", "/gradcam.webp",
]  # fmt: skip


def assert_problem(answer: Response, slug: str) -> dict[str, Any]:
    """Check the form of an error and return the problem."""
    kind = next(cls for cls in STATUSES if cls.slug == slug)
    problem: dict[str, Any] = answer.json()

    assert answer.headers["content-type"] == MEDIA_TYPE
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
    """Return a picture of one grey value."""
    buffer = BytesIO()
    Image.new(mode, size, 7 if mode in {"L", "1"} else None).save(buffer, kind)
    return buffer.getvalue()


def colour_picture() -> bytes:
    """Return a picture whose colour planes differ."""
    black = Image.new("L", (256, 256))
    image = Image.merge("RGB", [Image.linear_gradient("L"), black, black])

    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


BAD_FILES = {
    "empty-image": b"",
    "unsupported-format": SECRET.encode() * 10,
    "corrupt-image": picture("L", (300, 300))[:60],
    "too-many-pixels": picture("L", (2000, 1001)),
    "no-breast": picture("L", (300, 300)),
    "unsupported-image": colour_picture(),
}


@pytest.mark.parametrize("route", POSTS)
@pytest.mark.parametrize(("slug", "data"), list(BAD_FILES.items()), ids=list(BAD_FILES))
@pytest.mark.parametrize("raw", [False, True], ids=["form", "raw"])
def test_bad_file_is_a_problem_on_every_route(
    client: TestClient, route: str, slug: str, data: bytes, raw: bool
) -> None:
    if raw:
        headers = {"content-type": "application/octet-stream"}
        answer = client.post(route, content=data, headers=headers)
    else:
        answer = client.post(route, files={"file": (f"{SECRET}.dcm", data)})

    assert_problem(answer, slug)


def dicom(syntax: UID = JPEG2000Lossless, **elements: object) -> bytes:
    """Return a phantom as DICOM with other elements, labelled with another transfer syntax."""
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
def test_dicom_of_another_kind_is_a_problem(client: TestClient, slug: str, data: bytes) -> None:
    assert_problem(client.post("/predict", files={"file": data}), slug)


def test_unsupported_transfer_syntax_is_named_with_supported_ones(client: TestClient) -> None:
    answer = client.post("/predict", files={"file": dicom(MPEG2MPML)})

    problem = assert_problem(answer, "unsupported-transfer-syntax")
    assert "MPEG2" in problem["detail"]
    assert "JPEG-LS Lossless Image Compression" in problem["available_transfer_syntaxes"]


def test_image_that_takes_too_long_is_a_problem(
    app: MammolensApp, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert app.parts.engine._readers is not None
    for process in app.parts.engine._readers._processes:
        monkeypatch.setattr(process, "_limits", replace(process._limits, max_seconds=1e-6))

    image = render_view(np.random.default_rng(6), detector=Detector(800, 600))
    data = to_dicom_bytes(image, Acquisition(transfer_syntax="jpeg2000"))

    assert_problem(client.post("/predict", files={"file": data}), "undecodable-image")


@pytest.mark.parametrize("route", POSTS)
def test_form_without_file_is_a_problem(client: TestClient, route: str) -> None:
    """A file under another name does not count. A text field named `file` is no image."""
    boundary = {"content-type": "multipart/form-data; boundary=b"}
    text_part = f'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n{SECRET}\r\n--b--\r\n'

    other_name = client.post(route, files={"image": ("a.png", b"x")})
    text_field = client.post(route, content=text_part, headers=boundary)

    assert_problem(other_name, "missing-file")
    assert_problem(text_field, "unsupported-format")


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
def test_malformed_form_is_a_problem(client: TestClient, content_type: str, body: bytes) -> None:
    answer = client.post("/predict", content=body, headers={"content-type": content_type})

    slug = answer.json()["type"].removeprefix("urn:mammolens:")
    assert slug in {"malformed-upload", "missing-file"}
    assert_problem(answer, slug)


def test_two_files_in_one_form_are_a_problem(client: TestClient, mammogram_png: bytes) -> None:
    files = [("file", ("a.png", mammogram_png)), ("file", ("b.png", mammogram_png))]

    assert_problem(client.post("/predict", files=files), "malformed-upload")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/json", "application/x-www-form-urlencoded", ""]
)
def test_unsupported_media_type_lists_supported_types(
    client: TestClient, mammogram_png: bytes, content_type: str
) -> None:
    answer = client.post("/predict", content=mammogram_png, headers={"content-type": content_type})

    problem = assert_problem(answer, "unsupported-media-type")
    assert "image/png" in problem["available_types"]


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "streamed"])
@pytest.mark.parametrize("raw", [True, False], ids=["raw", "form"])
def test_body_over_the_limit_is_refused(client: TestClient, announced: bool, raw: bool) -> None:
    """With and without a Content-Length, raw and as a form."""
    body = b"\0" * 4_200_000
    headers = {"content-type": "application/dicom"}
    if not raw:
        part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        body = part + body + b"\r\n--b--\r\n"
        headers = {"content-type": "multipart/form-data; boundary=b"}
    chunks = (body[start : start + 65_536] for start in range(0, len(body), 65_536))

    answer = client.post("/predict", content=body if announced else chunks, headers=headers)

    problem = assert_problem(answer, "upload-too-large")
    assert problem["max_upload_bytes"] == 4_000_000


def test_limit_is_on_the_file_not_the_form(client: TestClient) -> None:
    """A form may be a little larger than the limit, its file may not."""
    over = client.post("/predict", files={"file": b"\0" * 4_000_001})
    within = client.post("/predict", files={"file": b"\0" * 4_000_000})

    assert_problem(over, "upload-too-large")
    assert_problem(within, "unsupported-format")


def test_pixel_limit_is_in_the_problem(client: TestClient) -> None:
    answer = client.post("/predict", files={"file": BAD_FILES["too-many-pixels"]})

    assert assert_problem(answer, "too-many-pixels")["max_pixels"] == 2_000_000


def test_unknown_layer_lists_available_layers(client: TestClient, mammogram_png: bytes) -> None:
    answers = (
        client.post(f"/activations/{SECRET}", files={"file": mammogram_png}),
        client.post("/gradcam", params={"layer": SECRET}, files={"file": mammogram_png}),
        client.post("/activations/", files={"file": mammogram_png}),
        client.post("/activations/.png", files={"file": mammogram_png}),
        client.post(f"/activations/{SECRET}.png", files={"file": mammogram_png}),
        client.post("/gradcam.png", params={"layer": SECRET}, files={"file": mammogram_png}),
        client.post("/activations", files={"file": mammogram_png}),
        client.post("/gradcam", params={"layer": ""}, files={"file": mammogram_png}),
    )

    for answer in answers:
        assert assert_problem(answer, "unknown-layer")["available_layers"] == ["conv2d"]


def test_unknown_class_lists_available_classes(client: TestClient, mammogram_png: bytes) -> None:
    answer = client.post("/gradcam", params={"class": SECRET}, files={"file": mammogram_png})

    problem = assert_problem(answer, "unknown-class")
    assert problem["available_classes"] == ["no_cancer", "cancer"]


@pytest.mark.parametrize(
    ("route", "params", "named"),
    [
        ("/gradcam", {"opacity": "1.5"}, "opacity"),
        ("/gradcam", {"opacity": SECRET}, "opacity"),
        ("/gradcam", {"colormap": SECRET}, "colormap"),
        ("/gradcam", {"render": "both"}, "render"),
        ("/gradcam.jpeg", {"render": "heatmap"}, "render"),
        ("/gradcam", {"size": "0"}, "size"),
        ("/gradcam", {"size": "big"}, "size"),
        ("/gradcam", {"colormpa": "jet"}, "colormpa"),
        ("/gradcam", {SECRET: "1"}, "(not a parameter name)"),
        ("/activations/conv2d", {"scale": "max"}, "scale"),
        ("/predict", {"layer": "conv2d"}, "layer"),
    ],
)
def test_invalid_option_is_named_without_its_value(
    client: TestClient, mammogram_png: bytes, route: str, params: dict[str, str], named: str
) -> None:
    answer = client.post(route, params=params, files={"file": mammogram_png})

    invalid = assert_problem(answer, "invalid-parameter")["invalid_parameters"]
    assert {entry["parameter"] for entry in invalid} == {named}


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("/gradcam?method=layer-cam&method=layer-cam", ["method"]),
        ("/gradcam?size=200&level=1&size=300&level=1", ["size", "level"]),
        ("/activations/conv2d?scale=filter&colormap=gray&scale=filter", ["scale"]),
        (f"/gradcam?{SECRET}=1&{SECRET}=2", ["(not a parameter name)"]),
    ],
)
def test_repeated_option_is_refused(
    client: TestClient, mammogram_png: bytes, query: str, named: list[str]
) -> None:
    answer = client.post(query, files={"file": mammogram_png})

    invalid = assert_problem(answer, "invalid-parameter")["invalid_parameters"]
    assert [entry["parameter"] for entry in invalid] == named


@pytest.mark.parametrize("route", POSTS)
def test_unsupported_accept_header_lists_supported_types(
    client: TestClient, mammogram_png: bytes, route: str
) -> None:
    answer = client.post(route, files={"file": mammogram_png}, headers={"accept": "text/html"})

    problem = assert_problem(answer, "not-acceptable")
    _, has_suffix, suffix = route.partition(".")
    own = f"image/{suffix}" if has_suffix else "application/json"
    assert own in problem["available_types"]


@pytest.mark.parametrize("suffix", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("route", ["/gradcam", "/activations/conv2d"])
def test_picture_routes_answer_with_nothing_else(
    client: TestClient, mammogram_png: bytes, route: str, suffix: str
) -> None:
    headers = {"accept": f"application/json, image/{suffix};q=0"}
    answer = client.post(f"{route}.{suffix}", files={"file": mammogram_png}, headers=headers)

    problem = assert_problem(answer, "not-acceptable")
    assert problem["available_types"] == [f"image/{suffix}"]


def test_predict_rejects_png(client: TestClient, mammogram_png: bytes) -> None:
    """An Accept header of image/png is refused: a prediction has no picture."""
    answer = client.post("/predict", files={"file": mammogram_png}, headers={"accept": "image/png"})

    problem = assert_problem(answer, "not-acceptable")
    assert problem["available_types"] == ["application/json"]


def test_unknown_route_is_a_problem(client: TestClient) -> None:
    assert_problem(client.get(f"/patients/{SECRET}"), "not-found")


@pytest.mark.parametrize(
    ("method", "route"), [("GET", "/predict"), ("DELETE", "/gradcam"), ("POST", "/readyz")]
)
def test_wrong_method_lists_allowed_methods(client: TestClient, method: str, route: str) -> None:
    answer = client.request(method, route)

    assert_problem(answer, "method-not-allowed")
    assert answer.headers["allow"]


def test_missing_scorecard_is_a_problem_and_a_warning(mammogram_png: bytes) -> None:
    class Untested(FakeModel):
        scorecard = None

    with TestClient(create_app(Settings(model=FAKE), lambda _: Untested())) as client:
        until_ready(client)

        scorecard = client.get("/model/scorecard")
        answer = client.post("/predict", files={"file": mammogram_png}).json()

    assert_problem(scorecard, "no-scorecard")
    assert "no-scorecard" in [warning["code"] for warning in answer["warnings"]]


@pytest.mark.parametrize(
    "route", ["/readyz", "/model", "/model/layers", "/model/scorecard", "/model/curves"]
)
def test_only_liveness_answers_before_model_is_loaded(route: str) -> None:
    # Not used as a context manager: the lifespan, which loads the model, does not run.
    unready = TestClient(create_app(Settings(model=FAKE)))

    answer = unready.get(route)

    assert_problem(answer, "not-ready")
    assert answer.headers["retry-after"]
    assert unready.get("/livez").json() == {"status": "alive"}


def test_full_queue_gives_a_retry_after(
    app: MammolensApp, client: TestClient, mammogram_png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No request may wait, and no slot is free."""
    lane = app.parts.engine.lanes[Lane.PREDICT]
    monkeypatch.setattr(lane, "_rule", AdmissionRule(0))
    monkeypatch.setattr(lane, "_free_slots", asyncio.Semaphore(0))

    answer = client.post("/predict", files={"file": mammogram_png})

    assert_problem(answer, "busy")
    assert re.fullmatch(r"\d+", answer.headers["retry-after"])


def test_internal_error_is_a_problem_without_details(
    client: TestClient, mammogram_png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr("service.pipeline.predict", fail)

    assert_problem(client.post("/predict", files={"file": mammogram_png}), "internal-error")


def test_refused_files_release_their_slots(app: MammolensApp, client: TestClient) -> None:
    queue = app.parts.engine.lanes[Lane.PREDICT]

    for data in BAD_FILES.values():
        client.post("/predict", files={"file": data})

    assert (queue.waiting, queue.in_flight) == (0, 0)


def test_problem_types_are_stable() -> None:
    assert sorted(cls.slug for cls in STATUSES) == STABLE.split()
