"""Side and view that a client names, in the query or in the form."""

from typing import Any

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient

from service.records import Pixels
from tests.support.paths import SAMPLE

ROUTES = ("/predict", "/gradcam", "/activations/conv2d")
PICTURES = ("/gradcam.png", "/activations/conv2d.png")


def side_and_view(answer: dict[str, Any]) -> tuple[str | None, ...]:
    names = ("laterality", "laterality_source", "view", "view_source")
    return tuple(answer["image"][name] for name in names)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("place", ["query", "form", "both", "raw"])
def test_caller_names_side_and_view(
    client: TestClient, mammogram_png: bytes, route: str, place: str
) -> None:
    named = {"laterality": "R", "view": "MLO"}
    plain = client.post(route, files={"file": mammogram_png}).json()

    if place == "raw":
        headers = {"content-type": "image/png"}
        answer = client.post(route, params=named, content=mammogram_png, headers=headers)
    else:
        answer = client.post(
            route,
            params=named if place != "form" else {},
            data=named if place != "query" else {},
            files={"file": mammogram_png},
        )

    assert side_and_view(plain) == (None, None, None, None)
    assert answer.status_code == 200, answer.text
    assert side_and_view(answer.json()) == ("R", "caller", "MLO", "caller")
    assert answer.json()["warnings"] == plain["warnings"]


def test_query_and_form_complete_each_other(client: TestClient, mammogram_png: bytes) -> None:
    answer = client.post(
        "/predict?laterality=L", data={"view": "CC"}, files={"file": mammogram_png}
    ).json()

    assert side_and_view(answer) == ("L", "caller", "CC", "caller")


def test_header_counts_beside_caller(client: TestClient) -> None:
    """The sample is a right MLO view."""
    files = {"file": SAMPLE.read_bytes()}

    agreed = client.post("/predict?laterality=R&view=MLO", files=files).json()
    differing = client.post("/predict?laterality=L&view=MLO", files=files).json()
    picture = client.post("/gradcam.png?view=CC", files=files)

    for answer in (agreed, differing):
        assert side_and_view(answer) == ("R", "header", "MLO", "header")
    assert "caller-contradicted" not in [warning["code"] for warning in agreed["warnings"]]
    assert "caller-contradicted" in [warning["code"] for warning in differing["warnings"]]
    assert "caller-contradicted" in picture.headers["mammolens-warnings"]
    assert differing["prediction"] == agreed["prediction"]


SIDES = "Input should be 'L' or 'R'"
VIEWS = "Input should be 'CC', 'MLO',"
UNUSABLE: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "word": ("?laterality=left", {}, "laterality", SIDES),
    "empty": ("?laterality=", {}, "laterality", SIDES),
    "lower case": ("?view=mlo", {}, "view", VIEWS),
    "specimen": ("?view=SPECIMEN", {}, "view", VIEWS),
    "form": ("", {"laterality": "l"}, "laterality", SIDES),
    "long": ("", {"view": "MLO" * 1000}, "view", VIEWS),
    "twice in form": ("", {"view": ["CC", "CC"]}, "view", "Value should be given once"),
    "twice in query": ("?view=CC&view=CC", {}, "view", "Value should be given once"),
    "both": ("?view=CC", {"view": "MLO"}, "view", "The query and the form should not differ"),
}


@pytest.mark.parametrize("route", [*ROUTES, *PICTURES])
@pytest.mark.parametrize("kind", UNUSABLE)
def test_unusable_side_or_view_is_named(
    client: TestClient, mammogram_png: bytes, route: str, kind: str
) -> None:
    query, fields, parameter, message = UNUSABLE[kind]

    answer = client.post(route + query, data=fields, files={"file": mammogram_png})

    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:mammolens:invalid-parameter"
    (invalid,) = answer.json()["invalid_parameters"]
    assert invalid["parameter"] == parameter
    assert invalid["message"].startswith(message)


def test_empty_and_other_fields_are_left_out(client: TestClient, mammogram_png: bytes) -> None:
    """A form of a page sends a field that was not filled in as an empty one."""
    fields = {"laterality": "", "view": "CC", "method": "none", "Laterality": "R"}

    answer = client.post("/gradcam", data=fields, files={"file": mammogram_png}).json()

    assert side_and_view(answer) == (None, None, "CC", "caller")


def test_fields_after_the_file_count(client: TestClient, mammogram_png: bytes) -> None:
    form = [
        b'--X\r\nContent-Disposition: form-data; name="file"\r\n\r\n%b\r\n' % mammogram_png,
        b'--X\r\nContent-Disposition: form-data; name="view"\r\n\r\nXCCL\r\n--X--\r\n',
    ]
    headers = {"content-type": "multipart/form-data; boundary=X"}

    answer = client.post("/predict", content=b"".join(form), headers=headers).json()

    assert answer["image"]["view"] == "XCCL"


def test_name_of_uploaded_file_is_not_used(client: TestClient, mammogram_png: bytes) -> None:
    answer = client.post("/predict", files={"file": ("1_L_CC.png", mammogram_png)}).json()

    assert side_and_view(answer) == (None, None, None, None)


def test_named_side_does_not_turn_image(client: TestClient, breast: Pixels) -> None:
    """The pixels decide the side of the chest wall, whatever the caller names."""
    for pixels, side in ((breast, "left"), (np.ascontiguousarray(breast[:, ::-1]), "right")):
        data = cv2.imencode(".png", pixels)[1].tobytes()
        answers = [
            client.post(f"/predict?laterality={laterality}", files={"file": data}).json()
            for laterality in "LR"
        ]
        assert [answer["image"]["chest_wall"] for answer in answers] == [side, side]
        assert answers[0]["prediction"] == answers[1]["prediction"]
