"""The routes' answers, with the built-in stand-in model; what the numbers are is tested where they are made."""

import base64
import json
import threading
import time
from io import BytesIO
from typing import Any

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from service.api.app import create_app
from service.errors import BundleMissing
from service.model import FakeModel, Model
from service.records import Method, Pixels
from service.runtime.readers import ReaderPool
from service.settings import FAKE, Settings
from tests.support.clients import until_ready

PNG = {"accept": "image/png"}


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    assert image.format == "PNG"
    return image


def encoded(pixels: Pixels) -> bytes:
    return cv2.imencode(".png", np.ascontiguousarray(pixels))[1].tobytes()


def asked(client: TestClient, route: str, data: bytes, **params: str) -> dict[str, Any]:
    answer = client.post(route, params=params, files={"file": data})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, Any] = answer.json()
    return found


def test_no_request_waits_for_a_thread_of_the_frameworks_pool(
    client: TestClient, mammogram_png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a thread of the pool that everyone shares")

    monkeypatch.setattr("anyio.to_thread.run_sync", refuse)
    for route in ("/predict", "/activations/conv2d", "/gradcam"):
        asked(client, route, mammogram_png)
    for route in ("/livez", "/readyz", "/metrics", "/model", "/model/layers", "/model/scorecard"):
        assert client.get(route).status_code != 500, route


@pytest.mark.parametrize(
    "content_type",
    ["image/png", "application/octet-stream", "application/dicom", "IMAGE/TIFF; a=b"],
)
def test_a_raw_body_is_read_by_its_bytes_whatever_type_it_claims(
    client: TestClient, mammogram_png: bytes, content_type: str
) -> None:
    raw = client.post(
        "/predict", content=mammogram_png, headers={"content-type": content_type}
    ).json()
    form = asked(client, "/predict", mammogram_png)
    assert raw["prediction"] == form["prediction"]
    assert raw["image"]["format"] == "png"


def test_a_prediction_names_its_model_its_threshold_and_what_was_read(
    client: TestClient, mammogram_png: bytes
) -> None:
    found = asked(client, "/predict", mammogram_png)
    assert found["model"]["name"] == FakeModel().manifest.name
    assert found["model"]["digest"] == FakeModel().digest
    assert found["image"]["rows"] == 640
    assert found["image"]["columns"] == 480
    assert found["image"]["chest_wall"] == "left"
    prediction = found["prediction"]
    assert sum(prediction["probabilities"].values()) == pytest.approx(1)
    assert prediction["positive"] == (
        prediction["probabilities"]["cancer"] >= prediction["threshold"]
    )
    assert prediction["label"] == ("cancer" if prediction["positive"] else "no_cancer")
    assert set(found["timings_ms"]) == {"decode", "fit", "model"}


def test_a_heatmap_as_json_gives_raw_values_whose_peak_is_where_it_says(
    client: TestClient, mammogram_png: bytes
) -> None:
    found = asked(client, "/gradcam", mammogram_png)
    values = np.array(found["values"])
    assert values.shape == (found["layer"]["height"], found["layer"]["width"])
    peak = found["peak"]
    assert values[peak["row"], peak["column"]] == values.max() == pytest.approx(peak["value"])
    (a, b, c), (d, e, f) = found["cell_to_source"]
    assert a * peak["column"] + b * peak["row"] + c == pytest.approx(peak["x"])
    assert d * peak["column"] + e * peak["row"] + f == pytest.approx(peak["y"])
    assert found["state"] == "ok"
    assert found["class"] == "cancer"
    assert found["diagnostics"]["peak_in_breast"]["value"] == 1


def test_a_mirrored_mammogram_has_the_same_probability_and_a_mirrored_heatmap(
    client: TestClient, breast: Pixels
) -> None:
    plain = asked(client, "/gradcam", encoded(breast))
    mirrored = asked(client, "/gradcam", encoded(breast[:, ::-1]))
    assert mirrored["image"]["chest_wall"] == "right"
    assert mirrored["prediction"] == plain["prediction"]
    assert mirrored["peak"]["x"] == pytest.approx(breast.shape[1] - 1 - plain["peak"]["x"])
    assert mirrored["peak"]["y"] == pytest.approx(plain["peak"]["y"])


def test_activations_are_upright_as_in_the_source(client: TestClient, breast: Pixels) -> None:
    plain = asked(client, "/activations/conv2d", encoded(breast))
    mirrored = asked(client, "/activations/conv2d", encoded(breast[:, ::-1]))
    assert mirrored["cell_to_source"][0][0] > 0
    for one, other in zip(plain["filters"], mirrored["filters"], strict=True):
        upright = np.asarray(opened(base64.b64decode(one["png"])))
        turned = np.asarray(opened(base64.b64decode(other["png"])))
        np.testing.assert_array_equal(turned, upright[:, ::-1])


def test_a_heatmap_as_png_is_laid_over_the_whole_source_and_carries_its_warnings(
    client: TestClient, mammogram_png: bytes
) -> None:
    answer = client.post("/gradcam", files={"file": mammogram_png}, headers=PNG)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["mammolens-model"].startswith(FakeModel().manifest.name)
    assert "explain;dur=" in answer.headers["server-timing"]
    image = opened(answer.content)
    assert (image.width, image.height, image.mode) == (480, 640, "RGB")
    expected = [warning["code"] for warning in asked(client, "/gradcam", mammogram_png)["warnings"]]
    assert json.loads(image.info["Warnings"]) == expected
    assert answer.headers["mammolens-warnings"] == ", ".join(expected)
    assert image.info["Class"] == "cancer"


@pytest.mark.parametrize(
    ("size", "expected"), [("320", (240, 320)), ("source", (480, 640)), ("4000", (480, 640))]
)
def test_size_is_the_long_edge_of_the_picture_in_either_form(
    client: TestClient, mammogram_png: bytes, size: str, expected: tuple[int, int]
) -> None:
    png = client.post(
        "/gradcam", params={"size": size}, files={"file": mammogram_png}, headers=PNG
    ).content
    assert opened(png).size == expected
    picture = asked(client, "/gradcam", mammogram_png, size=size)["picture"]
    assert (picture["width"], picture["height"]) == expected
    assert opened(base64.b64decode(picture["png"])).size == expected
    assert picture["to_source"][0][0] == pytest.approx(480 / expected[0])


def test_a_heatmap_alone_is_indexed_with_transparency(
    client: TestClient, mammogram_png: bytes
) -> None:
    answer = client.post(
        "/gradcam", params={"render": "heatmap"}, files={"file": mammogram_png}, headers=PNG
    )
    image = opened(answer.content)
    assert image.mode == "P"
    assert np.asarray(image.convert("RGBA"))[-1, -1, 3] == 0


def test_options_change_what_they_name(client: TestClient, mammogram_png: bytes) -> None:
    def drawn(**params: str) -> bytes:
        return client.post(
            "/gradcam", params=params, files={"file": mammogram_png}, headers=PNG
        ).content

    pictures = [
        drawn(),
        drawn(colormap="viridis"),
        drawn(opacity="0.2"),
        drawn(**{"class": "no_cancer"}),
    ]
    assert len(set(pictures)) == len(pictures)
    assert drawn(layer="conv2d") == drawn()


def test_a_layer_comes_with_its_stage_and_how_to_read_it(
    client: TestClient, mammogram_png: bytes
) -> None:
    layer = asked(client, "/activations/conv2d", mammogram_png)["layer"]
    assert layer["stage"] in {"early", "middle", "deep"}
    assert layer["reading"].lower().startswith(layer["stage"])
    (listed,) = client.get("/model/layers").json()["layers"]
    assert listed == layer


def test_a_montage_is_a_png_of_all_filters(client: TestClient, mammogram_png: bytes) -> None:
    answer = client.post("/activations/conv2d", files={"file": mammogram_png}, headers=PNG)
    assert opened(answer.content).info["Layer"] == "conv2d"


def test_the_model_tells_what_it_is_for(client: TestClient) -> None:
    found = client.get("/model").json()
    assert found["model"]["intended_use"] == FakeModel().manifest.intended_use
    assert found["classes"] == ["no_cancer", "cancer"]


def test_metrics_count_requests_by_route_and_status(
    client: TestClient, mammogram_png: bytes
) -> None:
    def count() -> float:
        prefix = 'mammolens_requests_total{route="/predict",status="200"} '
        lines = client.get("/metrics").text.splitlines()
        return sum(float(line.removeprefix(prefix)) for line in lines if line.startswith(prefix))

    before = count()
    asked(client, "/predict", mammogram_png)
    assert count() == before + 1


def test_logs_and_metrics_hold_nothing_that_a_caller_sent(
    client: TestClient, mammogram_png: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "Doe^Jane"
    with caplog.at_level("DEBUG"):
        client.post(f"/activations/{secret}", files={"file": (f"{secret}.png", mammogram_png)})
        client.post(
            "/predict", params={secret: secret}, files={"file": (f"{secret}.png", secret.encode())}
        )
        client.get(f"/{secret}")
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("mammolens")]
    assert len(ours) == 3
    assert not any(secret in line for line in ours)
    assert secret not in client.get("/metrics").text


def test_a_model_that_cannot_be_loaded_is_told_and_never_ready() -> None:
    told: list[BaseException] = []

    def load(_: Settings) -> Model:
        raise BundleMissing("there is none")

    with TestClient(create_app(Settings(), load, told.append)) as unready:
        deadline = time.monotonic() + 10
        while not told:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert unready.get("/readyz").status_code == 503
        assert unready.get("/livez").status_code == 200
    assert [str(error) for error in told] == ["there is none"]


def test_the_service_is_not_ready_before_its_readers_are(monkeypatch: pytest.MonkeyPatch) -> None:
    let_go = threading.Event()
    monkeypatch.setattr(ReaderPool, "wait_until_ready", lambda _: let_go.wait(30))
    with TestClient(create_app(Settings(model=FAKE))) as starting:
        time.sleep(0.5)  # the stand-in model has been loaded by then
        waiting = starting.get("/readyz")
        let_go.set()
        until_ready(starting)
    assert waiting.status_code == 503
    assert "reader processes" in waiting.json()["detail"]


@pytest.mark.parametrize("method", [method.value for method in Method])
def test_every_method_explains_and_the_input_s_have_no_layer(
    client: TestClient, mammogram_png: bytes, method: str
) -> None:
    found = asked(client, "/gradcam", mammogram_png, method=method)
    assert found["method"] == method
    of_layer = method not in {"integrated-gradients", "smooth-grad", "occlusion"}
    assert (found["layer"] is not None) == of_layer
    values = np.array(found["values"])
    assert values.min() >= 0
    assert values.max() > 0
    (a, _, c), (_, e, f) = found["cell_to_source"]
    row, column = np.unravel_index(values.argmax(), values.shape)
    assert (a * column + c, e * row + f) == pytest.approx((found["peak"]["x"], found["peak"]["y"]))
    assert 0 <= found["peak"]["x"] < 480
    assert 0 <= found["peak"]["y"] < 640


def test_regions_lie_around_the_peak_in_source_pixels_and_follow_the_level(
    client: TestClient, mammogram_png: bytes
) -> None:
    found = asked(client, "/gradcam", mammogram_png)
    (hottest,) = (
        each
        for each in found["regions"]
        if each["peak_value"] == pytest.approx(found["peak"]["value"])
    )
    left, top, right, bottom = hottest["box"]
    assert left <= found["peak"]["x"] <= right
    assert top <= found["peak"]["y"] <= bottom
    assert hottest["area_mm2"] is None
    wider = asked(client, "/gradcam", mammogram_png, level="0.1")
    assert sum(region["area"] for region in wider["regions"]) > sum(
        region["area"] for region in found["regions"]
    )


def test_full_diagnostics_are_given_when_asked_for(
    client: TestClient, mammogram_png: bytes
) -> None:
    quick = asked(client, "/gradcam", mammogram_png)["diagnostics"]
    full = asked(client, "/gradcam", mammogram_png, diagnostics="full")["diagnostics"]
    assert full.keys() - quick.keys() == {"stability", "insertion_gap", "deletion_gap"}
    assert (
        full["insertion_gap"]["value"] > 0
    )  # the fake looks for bright blobs, and its heat is on one
    assert full["stability"]["value"] > 0.9


def test_a_figure_comes_with_the_range_of_the_model_s_own_reference_images(
    client: TestClient, mammogram_png: bytes
) -> None:
    entropy = asked(client, "/gradcam", mammogram_png)["diagnostics"]["entropy"]
    assert entropy["reference"] == {"low": 0.0, "high": 0.95}
    assert entropy["unusual"] == (entropy["value"] > 0.95)


def test_an_image_far_from_the_reference_images_is_warned_about_on_every_route(
    client: TestClient,
) -> None:
    y, x = np.mgrid[:640, :480]
    chequered = 33_000 + 32_000 * np.sign(np.sin(x / 12) * np.sin(y / 12))
    breast = (x / 300) ** 2 + ((y - 320) / 270) ** 2 < 1
    data = encoded(np.where(breast, chequered, 0).astype(np.uint16))
    for route in ("/predict", "/activations/conv2d", "/gradcam"):
        found = asked(client, route, data)
        assert "out-of-domain" in [warning["code"] for warning in found["warnings"]], route
        assert found["diagnostics"]["domain_distance"]["value"] > 5


def test_every_answer_of_a_model_that_failed_its_scorecard_says_so(
    client: TestClient, mammogram_png: bytes
) -> None:
    for route in ("/predict", "/activations/conv2d", "/gradcam"):
        assert "scorecard-failed" in [
            warning["code"] for warning in asked(client, route, mammogram_png)["warnings"]
        ]


def test_a_scorecard_is_json_for_a_program_and_a_page_for_a_person(client: TestClient) -> None:
    found = client.get("/model/scorecard").json()
    assert found["passed"] is False
    assert found["lines"][0]["verdict"] == "fail"
    page = client.get("/model/scorecard", headers={"accept": "text/html,application/xhtml+xml"})
    assert page.headers["content-type"].startswith("text/html")
    assert "Failed: auc." in page.text
    assert found["lines"][0]["meaning"] in page.text
