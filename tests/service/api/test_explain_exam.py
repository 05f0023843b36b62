"""The answer about an exam: its images, its breasts and the exam as a whole."""

from collections.abc import Iterator
from itertools import permutations
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.api.app import create_app
from service.model import FakeModel
from service.settings import FAKE, Settings
from tests.support.clients import until_ready
from tests.support.exam_files import as_form, complete_exam_files, exam_file

NO_IMAGE = b"no image at all"


def explain(client: TestClient, files: list[bytes], **options: str) -> dict[str, Any]:
    """Return the answer about the files."""
    answer = client.post("/exam", files=as_form(files), params=options)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def views(answer: dict[str, Any]) -> list[str]:
    """Return side and view of each image in the answer."""
    images = [image["image"] for image in answer["images"]]
    return [f"{image['laterality']}-{image['view']}" for image in images]


def test_complete_exam_is_decided_at_each_level(client: TestClient) -> None:
    """A breast is the mean of its two images, the exam the higher breast."""
    answer = explain(client, complete_exam_files())

    images = [image["prediction"]["probabilities"]["cancer"] for image in answer["images"]]
    left, right = sum(images[:2]) / 2, sum(images[2:]) / 2
    assert answer["breasts"]["L"]["probability"] == pytest.approx(left, abs=1e-6)
    assert answer["breasts"]["R"]["probability"] == pytest.approx(right, abs=1e-6)
    assert answer["exam"]["probability"] == pytest.approx(max(left, right), abs=1e-6)
    assert answer["exam"]["driven_by"] == ("L" if left > right else "R")
    assert (answer["exam"]["complete"], answer["exam"]["missing_views"]) == (True, [])
    assert answer["breasts"]["R"]["images"] == [2, 3]


def test_images_are_answered_in_the_order_of_files(client: TestClient) -> None:
    left_cc, left_mlo, right_cc, right_mlo = complete_exam_files()

    answer = explain(client, [right_mlo, left_cc, left_mlo, right_cc])

    assert views(answer) == ["R-MLO", "L-CC", "L-MLO", "R-CC"]
    assert answer["breasts"]["L"]["images"] == [1, 2]


def test_order_of_files_changes_no_decision(client: TestClient) -> None:
    answers = [
        explain(client, list(files)) for files in list(permutations(complete_exam_files()))[::7]
    ]

    decisions = [
        [answer["exam"]] + [{**answer["breasts"][side], "images": None} for side in ("L", "R")]
        for answer in answers
    ]
    assert len(decisions) == 4
    assert all(decision == decisions[0] for decision in decisions)


def test_answer_of_an_image_is_that_of_gradcam(client: TestClient) -> None:
    files = complete_exam_files()

    in_exam = explain(client, files, heat="all", level="0.3")["images"][2]
    alone = client.post("/gradcam", files={"file": files[2]}, params={"level": 0.3}).json()

    for name in ("image", "prediction", "diagnostics", "warnings"):
        assert in_exam[name] == alone[name], name
    assert in_exam["heat"] == {name: alone[name] for name in in_exam["heat"]}


def test_missing_views_are_told(client: TestClient) -> None:
    answer = explain(client, complete_exam_files()[:1])

    assert answer["exam"]["views"] == ["L-CC"]
    assert answer["exam"]["missing_views"] == ["L-MLO", "R-CC", "R-MLO"]
    assert answer["exam"]["complete"] is False
    assert answer["breasts"]["R"] is None


def test_duplicate_is_answered_and_not_counted(client: TestClient) -> None:
    files = complete_exam_files()

    answer = explain(client, [*files, files[0]])

    reasons = sorted(str(image["not_counted"]) for image in answer["images"])
    assert reasons == ["None", "None", "None", "None", "duplicate"]
    assert answer["exam"] == explain(client, files)["exam"]


def test_no_counted_image_leaves_the_exam_undecided(
    client: TestClient, mammogram_png: bytes
) -> None:
    answer = explain(client, [mammogram_png])

    (image,) = answer["images"]
    assert (image["counted"], image["not_counted"]) == (False, "view")
    assert answer["exam"] is None
    assert answer["breasts"] == {"L": None, "R": None}


def test_refused_image_leaves_the_others_answered(client: TestClient) -> None:
    left_cc, _, right_cc, _ = complete_exam_files()

    answer = explain(client, [left_cc, NO_IMAGE, right_cc])

    statuses = [image["status"] for image in answer["images"]]
    assert statuses == ["answered", "refused", "answered"]
    problem = answer["images"][1]["problem"]
    assert (problem["type"], problem["status"]) == ("urn:mammolens:unsupported-format", 415)
    assert set(problem) == {"type", "title", "status", "detail", "remedy"}
    assert answer["breasts"]["R"]["images"] == [2]


def test_exam_of_refused_images_tells_each_problem(client: TestClient) -> None:
    answer = client.post("/exam", files=as_form([NO_IMAGE, exam_file("L", "CC")[:700]]))

    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (422, "urn:mammolens:no-image-answered")
    assert [refusal["type"] for refusal in problem["refusals"]] == [
        "urn:mammolens:unsupported-format",
        "urn:mammolens:corrupt-image",
    ]


def test_files_of_two_patients_are_refused(client: TestClient) -> None:
    answer = client.post(
        "/exam", files=as_form([exam_file("L", "CC"), exam_file("R", "CC", patient=2)])
    )

    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:mammolens:mixed-exam"


@pytest.fixture(scope="module")
def split(client: TestClient) -> Iterator[TestClient]:
    """Client of a service whose threshold lies between the two left views."""
    images = explain(client, complete_exam_files()[:2])["images"]
    probabilities = [image["prediction"]["probabilities"]["cancer"] for image in images]

    class Split(FakeModel):
        manifest = FakeModel.manifest.model_copy(update={"threshold": sum(probabilities) / 2})

    with TestClient(create_app(Settings(model=FAKE), lambda _: Split())) as connected:
        until_ready(connected)
        yield connected


@pytest.mark.parametrize("heat", ["none", "positive", "all"])
def test_heat_is_that_of_chosen_images(split: TestClient, heat: str) -> None:
    answer = explain(split, complete_exam_files()[:2], heat=heat)

    decided = [image["prediction"]["positive"] for image in answer["images"]]
    assert sorted(decided) == [False, True]
    shown = [image["heat"] is not None for image in answer["images"]]
    assert shown == {"none": [False, False], "positive": decided, "all": [True, True]}[heat]


def test_part_names_tell_side_and_view(client: TestClient, mammogram_png: bytes) -> None:
    answer = client.post("/exam", files=as_form([mammogram_png], "R-MLO")).json()

    image = answer["images"][0]["image"]
    assert (image["laterality"], image["view"]) == ("R", "MLO")
    assert (image["laterality_source"], image["view_source"]) == ("caller", "caller")
    assert answer["exam"]["views"] == ["R-MLO"]


def test_header_counts_before_the_name_of_a_part(client: TestClient) -> None:
    answer = client.post("/exam", files=as_form([exam_file("L", "CC")], "R-MLO")).json()

    (image,) = answer["images"]
    assert views(answer) == ["L-CC"]
    assert "caller-contradicted" in [warning["code"] for warning in image["warnings"]]


def test_unknown_layer_is_refused_for_the_exam(client: TestClient) -> None:
    answer = client.post("/exam", files=as_form([exam_file("L", "CC")]), params={"layer": "conv9"})

    assert (answer.status_code, answer.json()["type"]) == (404, "urn:mammolens:unknown-layer")


def test_options_of_pictures_are_no_options_of_exams(client: TestClient) -> None:
    answer = client.post("/exam", files=as_form([exam_file("L", "CC")]), params={"laterality": "L"})

    assert (answer.status_code, answer.json()["type"]) == (422, "urn:mammolens:invalid-parameter")
