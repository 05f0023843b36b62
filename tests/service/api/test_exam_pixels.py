"""POST /exam/pixels: the answer of /exam, with what a viewer needs to show its images."""

from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from pydicom import dcmread

from service.api import held_response
from service.api.app import create_app
from service.api.application import MammolensApp
from service.imaging import decode, read
from service.model import FakeModel
from service.observability.stopwatch import Stopwatch
from service.pipeline import Question, explain
from service.settings import FAKE, Settings
from tests.contract.test_problems import assert_problem
from tests.support.clients import until_ready
from tests.support.dicom_files import WriteDicom, stored_breast
from tests.support.dicom_files import write_dicom as write
from tests.support.paths import ROOT
from tests.support.pixel_forms import PixelForm, take_apart
from tests.support.sample_display import shown

SAMPLES = sorted((ROOT / "docs" / "sample-exam").glob("*.dcm"))
EXAM = [("file", path.read_bytes()) for path in SAMPLES]
WRITE: WriteDicom = write


def post(client: TestClient, files: list[tuple[str, bytes]] = EXAM, **options: Any) -> Response:
    return client.post("/exam/pixels", params=options, files=files)


def ask(client: TestClient, files: list[tuple[str, bytes]] = EXAM, **options: Any) -> PixelForm:
    answer = post(client, files, **options)
    assert answer.status_code == 200, answer.text
    return take_apart(answer.headers["content-type"], answer.content)


def test_answer_is_a_form_with_model_and_warnings(client: TestClient) -> None:
    answer = post(client)

    assert answer.headers["content-type"] == "multipart/form-data; boundary=mammolens"
    assert answer.headers["mammolens-model"] == "fake/1"
    assert {"decode", "explain", "samples"} <= {
        step.partition(";")[0] for step in answer.headers["server-timing"].split(", ")
    }
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_decisions_are_those_of_exam(client: TestClient) -> None:
    told = ask(client, heat="all").answer
    plain = client.post("/exam?heat=all", files=EXAM).json()

    pixels = told.pop("pixels")
    del told["timings_ms"], plain["timings_ms"]
    assert told == plain
    assert len(pixels) == 4


def test_samples_show_services_own_pictures(client: TestClient) -> None:
    form = ask(client)

    for position, path in enumerate(SAMPLES):
        samples = form.grid(f"pixels-{position}")
        own = decode(path.read_bytes()).pixels
        assert np.abs(shown(samples, form.meaning(position)) - own).max() <= 1
        assert form.answer["pixels"][position]["to_source"] == [[1, 0, 0], [0, 1, 0]]


def test_stored_values_of_sample_are_samples(client: TestClient) -> None:
    form = ask(client, EXAM[:1])

    assert np.array_equal(form.grid("pixels-0"), dcmread(SAMPLES[0]).pixel_array)


def test_heat_is_the_drawn_heat(client: TestClient) -> None:
    form = ask(client, EXAM[:1], heat="all")
    drawn = explain(FakeModel(), read, EXAM[0][1], Stopwatch(), Question()).drawn_heat

    told = form.answer["pixels"][0]["heat"]
    heat = form.grid("heat-0") / 65535 * told["maximum"]
    assert heat.shape == drawn.values.shape
    assert np.abs(heat - drawn.values).max() <= told["maximum"] / 65535
    assert told["full_value"] == pytest.approx(drawn.full_value)
    assert told["to_source"] == [
        pytest.approx(row, abs=1e-4) for row in map(list, drawn.to_source.matrix())
    ]


@pytest.mark.parametrize(("shown_heat", "parts"), [("none", 0), ("positive", 0), ("all", 4)])
def test_option_heat_chooses_the_heat(client: TestClient, shown_heat: str, parts: int) -> None:
    """The stand-in decides every sample negative."""
    form = ask(client, heat=shown_heat)

    assert sum(name.startswith("heat-") for name in form.files) == parts
    assert sum(told["heat"] is not None for told in form.answer["pixels"]) == parts


def test_size_bounds_the_long_edge(client: TestClient) -> None:
    form = ask(client, EXAM[:1], size=416)

    told = form.answer["pixels"][0]
    assert (told["rows"], told["columns"]) == (416, 320)
    assert told["to_source"] == [[2, 0, 0.5], [0, 2, 0.5]]
    assert form.grid("pixels-0").shape == (416, 320)


@pytest.mark.parametrize("size", ["0", "big", "100000", "-1"])
def test_unknown_size_is_a_problem(client: TestClient, size: str) -> None:
    (named,) = assert_problem(post(client, size=size), "invalid-parameter")["invalid_parameters"]

    assert named["parameter"] == "size"


def test_refused_image_has_no_pixels(client: TestClient) -> None:
    form = ask(client, [("file", b"no image"), *EXAM[:1]])

    assert form.answer["images"][0]["status"] == "refused"
    assert form.answer["pixels"][0] is None
    assert set(form.files) == {"pixels-1"}


def test_presets_of_the_file_are_told(client: TestClient) -> None:
    data = WRITE(
        stored_breast(),
        BitsStored=12,
        WindowCenter=[2048, 1800],
        WindowWidth=[4096, 2400],
        WindowCenterWidthExplanation=["NORMAL", "Doe^Jane"],
        VOILUTFunction="SIGMOID",
    )

    told = ask(client, [("R-MLO", data)]).answer["pixels"][0]["presets"]

    same = {"function": "SIGMOID", "table": None}
    assert told == [
        {"name": "NORMAL", "center": 2048, "width": 4096} | same,
        {"name": None, "center": 1800, "width": 2400} | same,
    ]


def test_memory_of_pixels_is_bounded() -> None:
    """The files of the exam leave 100 kB of the caller's share."""
    views = [("L-CC", WRITE(stored_breast())), ("R-CC", WRITE(stored_breast()[:, ::-1]))]
    size = sum(len(data) for _, data in views)
    small = create_app(
        Settings(
            model=FAKE,
            max_upload_bytes=size // 2,
            max_exam_bytes=size + 100_000,
            max_body_bytes=2 * (size + 100_000),
            max_pixels=2_000_000,
            readers=1,
        )
    )

    with TestClient(small) as connected:
        until_ready(connected)
        problem = assert_problem(post(connected, views), "objects-too-large")
        reduced = post(connected, views, size=100)
        held = small.parts.engine.bodies.held_bytes

    assert "`size=2048`" in problem["remedy"]
    assert reduced.status_code == 200
    assert held == 0


def test_nothing_is_held_after_pixels(app: MammolensApp, client: TestClient) -> None:
    ask(client, heat="all")

    assert app.parts.engine.bodies.held_bytes == 0


def test_pixels_that_hold_the_boundary_are_refused(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The beginning of every gzip file stands for the boundary."""
    monkeypatch.setattr(held_response, "_DELIMITER", b"\x1f\x8b\x08")

    answer = post(client, EXAM[:1])

    problem = assert_problem(answer, "no-image-answered")
    assert problem["refusals"][0]["type"] == "urn:mammolens:not-storable"


def test_other_type_than_a_form_is_refused(client: TestClient) -> None:
    headers = {"accept": "application/json"}

    answer = client.post("/exam/pixels", files=EXAM[:1], headers=headers)

    assert_problem(answer, "not-acceptable")


def test_raw_body_is_refused_as_by_exam(client: TestClient) -> None:
    headers = {"content-type": "application/dicom"}

    same = [
        client.post(route, content=EXAM[0][1], headers=headers).status_code
        for route in ("/exam", "/exam/pixels")
    ]

    assert same[0] == same[1]
