"""Answers of the routes, with the built-in stand-in model.

The numbers in them are tested beside the code that computes them.
"""

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
from PIL.ExifTags import Base

from service.api.app import create_app
from service.api.negotiation import MediaType
from service.api.responses import as_picture
from service.errors import BundleMissing
from service.model import FakeModel, Model
from service.observability.stopwatch import Stopwatch
from service.records import Method, Pixels
from service.runtime.readers import ReaderPool
from service.settings import FAKE, Settings
from tests.support.clients import until_ready
from tests.support.level_facts import curves, levels, provenance

PNG = {"accept": "image/png"}


def open_png(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()

    assert image.format == "PNG"
    return image


def encode_png(pixels: Pixels) -> bytes:
    return cv2.imencode(".png", np.ascontiguousarray(pixels))[1].tobytes()


def post_image(client: TestClient, route: str, data: bytes, **params: str) -> dict[str, Any]:
    """Post the image with the options `params` and return the JSON answer."""
    answer = client.post(route, params=params, files={"file": data})

    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    body: dict[str, Any] = answer.json()
    return body


def test_no_route_uses_the_shared_thread_pool(
    client: TestClient, mammogram_png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a thread of the framework's shared pool")

    monkeypatch.setattr("anyio.to_thread.run_sync", refuse)

    for route in ("/predict", "/activations/conv2d", "/gradcam"):
        post_image(client, route, mammogram_png)
    for route in (
        "/livez",
        "/readyz",
        "/metrics",
        "/model",
        "/model/layers",
        "/model/scorecard",
        "/model/curves",
    ):
        assert client.get(route).status_code != 500, route


@pytest.mark.parametrize(
    "content_type",
    ["image/png", "application/octet-stream", "application/dicom", "IMAGE/TIFF; a=b"],
)
def test_format_of_raw_body_is_detected_from_bytes(
    client: TestClient, mammogram_png: bytes, content_type: str
) -> None:
    raw = client.post(
        "/predict", content=mammogram_png, headers={"content-type": content_type}
    ).json()
    form = post_image(client, "/predict", mammogram_png)

    assert raw["prediction"] == form["prediction"]
    assert raw["image"]["format"] == "png"


def test_prediction_names_model_threshold_and_image(
    client: TestClient, mammogram_png: bytes
) -> None:
    answer = post_image(client, "/predict", mammogram_png)

    assert answer["model"]["name"] == FakeModel().manifest.name
    assert answer["model"]["digest"] == FakeModel().digest
    assert answer["image"]["rows"] == 640
    assert answer["image"]["columns"] == 480
    assert answer["image"]["chest_wall"] == "left"
    assert set(answer["timings_ms"]) == {"decode", "fit", "model"}

    prediction = answer["prediction"]
    assert sum(prediction["probabilities"].values()) == pytest.approx(1)
    assert prediction["positive"] == (
        prediction["probabilities"]["cancer"] >= prediction["threshold"]
    )
    assert prediction["label"] == ("cancer" if prediction["positive"] else "no_cancer")


def test_heatmap_values_agree_with_its_peak(client: TestClient, mammogram_png: bytes) -> None:
    heatmap = post_image(client, "/gradcam", mammogram_png)

    values = np.array(heatmap["values"])
    assert values.shape == (heatmap["layer"]["height"], heatmap["layer"]["width"])

    peak = heatmap["peak"]
    assert values[peak["row"], peak["column"]] == values.max() == pytest.approx(peak["value"])

    (a, b, c), (d, e, f) = heatmap["cell_to_source"]
    assert a * peak["column"] + b * peak["row"] + c == pytest.approx(peak["x"], abs=0.01)
    assert d * peak["column"] + e * peak["row"] + f == pytest.approx(peak["y"], abs=0.01)

    assert heatmap["state"] == "ok"
    assert heatmap["class"] == "cancer"
    assert heatmap["diagnostics"]["peak_in_breast"]["value"] == 1


def test_mirrored_mammogram_has_mirrored_heatmap(client: TestClient, breast: Pixels) -> None:
    """The prediction is the same."""
    plain = post_image(client, "/gradcam", encode_png(breast))
    mirrored = post_image(client, "/gradcam", encode_png(breast[:, ::-1]))

    assert mirrored["image"]["chest_wall"] == "right"
    assert mirrored["prediction"] == plain["prediction"]
    assert mirrored["peak"]["x"] == pytest.approx(
        breast.shape[1] - 1 - plain["peak"]["x"], abs=0.01
    )
    assert mirrored["peak"]["y"] == plain["peak"]["y"]


def test_activations_are_oriented_as_the_source(client: TestClient, breast: Pixels) -> None:
    plain = post_image(client, "/activations/conv2d", encode_png(breast))
    mirrored = post_image(client, "/activations/conv2d", encode_png(breast[:, ::-1]))

    assert mirrored["cell_to_source"][0][0] > 0
    for one, other in zip(plain["filters"], mirrored["filters"], strict=True):
        upright = np.asarray(open_png(base64.b64decode(one["png"])))
        flipped = np.asarray(open_png(base64.b64decode(other["png"])))
        np.testing.assert_array_equal(flipped, upright[:, ::-1])


def test_heatmap_png_covers_source_and_carries_warnings(
    client: TestClient, mammogram_png: bytes
) -> None:
    answer = client.post("/gradcam", files={"file": mammogram_png}, headers=PNG)

    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["mammolens-model"].startswith(FakeModel().manifest.name)
    assert "explain;dur=" in answer.headers["server-timing"]

    image = open_png(answer.content)
    assert (image.width, image.height, image.mode) == (480, 640, "RGB")
    assert image.info["Class"] == "cancer"

    expected = [
        warning["code"] for warning in post_image(client, "/gradcam", mammogram_png)["warnings"]
    ]
    assert json.loads(image.info["Warnings"]) == expected
    assert answer.headers["mammolens-warnings"] == ", ".join(expected)


@pytest.mark.parametrize(
    ("route", "query"),
    [("/gradcam", "?size=300&render=heatmap"), ("/activations/conv2d", "?scale=filter")],
)
def test_picture_has_its_own_path(
    client: TestClient, mammogram_png: bytes, route: str, query: str
) -> None:
    files = {"file": mammogram_png}
    negotiated = client.post(route + query, files=files, headers=PNG)
    answers = [
        client.post(f"{route}.png{query}", files=files, headers={"accept": accept})
        for accept in ("*/*", "image/*", "image/png, application/problem+json")
    ]

    for answer in answers:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/png"
        assert answer.content == negotiated.content


@pytest.mark.parametrize("suffix", ["jpeg", "webp"])
@pytest.mark.parametrize("route", ["/gradcam", "/activations/conv2d"])
def test_formats_have_evidence_of_the_png(
    client: TestClient, mammogram_png: bytes, route: str, suffix: str
) -> None:
    files = {"file": mammogram_png}
    png = client.post(f"{route}.png", files=files)
    other = client.post(f"{route}.{suffix}", files=files)

    assert other.headers["content-type"] == f"image/{suffix}"
    for headers in (png.headers, other.headers):
        for varying in ("server-timing", "x-request-id", "content-length", "content-type"):
            del headers[varying]
    assert other.headers == png.headers

    exact = open_png(png.content)
    image = Image.open(BytesIO(other.content))
    assert (image.format, image.size) == (suffix.upper(), exact.size)
    assert json.loads(image.getexif()[Base.ImageDescription]) == exact.info


def test_heatmap_alone_is_a_transparent_webp(client: TestClient, mammogram_png: bytes) -> None:
    files = {"file": mammogram_png}
    png, webp = (
        client.post(f"/gradcam.{suffix}?render=heatmap&size=300", files=files).content
        for suffix in ("png", "webp")
    )

    exact = np.asarray(open_png(png).convert("RGBA"))
    assert np.array_equal(np.asarray(Image.open(BytesIO(webp)))[..., 3], exact[..., 3])


def test_jpeg_of_heatmap_alone_names_transparent_formats(
    client: TestClient, mammogram_png: bytes
) -> None:
    answer = client.post("/gradcam.jpeg?render=heatmap", files={"file": mammogram_png})

    (invalid,) = answer.json()["invalid_parameters"]
    assert answer.status_code == 422
    assert invalid["parameter"] == "render"
    assert "/gradcam.png" in invalid["message"]
    assert "/gradcam.webp" in invalid["message"]


def test_headers_without_value_are_left_out(client: TestClient, mammogram_png: bytes) -> None:
    facts = client.get("/model")
    picture = as_picture(mammogram_png, MediaType.PNG, FakeModel(), (), {}, Stopwatch())

    assert facts.status_code == 200
    assert "server-timing" not in facts.headers
    assert "mammolens-model" in picture.headers
    assert not {"mammolens-warnings", "server-timing"} & set(picture.headers)


@pytest.mark.parametrize(
    ("size", "expected"), [("320", (240, 320)), ("source", (480, 640)), ("4000", (480, 640))]
)
def test_size_is_the_long_edge_of_the_picture(
    client: TestClient, mammogram_png: bytes, size: str, expected: tuple[int, int]
) -> None:
    """PNG and JSON answers agree."""
    png = client.post(
        "/gradcam", params={"size": size}, files={"file": mammogram_png}, headers=PNG
    ).content
    assert open_png(png).size == expected

    picture = post_image(client, "/gradcam", mammogram_png, size=size)["picture"]
    assert (picture["width"], picture["height"]) == expected
    assert open_png(base64.b64decode(picture["png"])).size == expected
    assert picture["to_source"][0][0] == pytest.approx(480 / expected[0])


def test_heatmap_alone_is_an_indexed_transparent_png(
    client: TestClient, mammogram_png: bytes
) -> None:
    answer = client.post(
        "/gradcam", params={"render": "heatmap"}, files={"file": mammogram_png}, headers=PNG
    )

    image = open_png(answer.content)
    assert image.mode == "P"
    assert np.asarray(image.convert("RGBA"))[-1, -1, 3] == 0


def test_drawing_options_change_the_picture(client: TestClient, mammogram_png: bytes) -> None:
    def draw(**params: str) -> bytes:
        return client.post(
            "/gradcam", params=params, files={"file": mammogram_png}, headers=PNG
        ).content

    pictures = [
        draw(),
        draw(colormap="viridis"),
        draw(opacity="0.2"),
        draw(**{"class": "no_cancer"}),
    ]

    assert len(set(pictures)) == len(pictures)
    assert draw(layer="conv2d") == draw()


def test_layer_has_stage_reading_and_tap(client: TestClient, mammogram_png: bytes) -> None:
    layer = post_image(client, "/activations/conv2d", mammogram_png)["layer"]

    assert layer["stage"] in {"early", "middle", "deep"}
    assert layer["reading"].lower().startswith(layer["stage"])
    assert layer["tap"] == ["conv2d"]

    (listed,) = client.get("/model/layers").json()["layers"]
    assert listed == layer


def test_montage_names_its_layer(client: TestClient, mammogram_png: bytes) -> None:
    answer = client.post("/activations/conv2d", files={"file": mammogram_png}, headers=PNG)

    assert open_png(answer.content).info["Layer"] == "conv2d"


def test_model_states_its_intended_use(client: TestClient) -> None:
    model = client.get("/model").json()

    assert model["model"]["intended_use"] == FakeModel().manifest.intended_use
    assert model["classes"] == ["no_cancer", "cancer"]


def test_model_names_each_fact_it_lacks(client: TestClient) -> None:
    model = client.get("/model").json()

    codes = [warning["code"] for warning in model["warnings"]]
    assert codes == ["scorecard-failed", "no-effective-size", "no-curves", "no-provenance"]
    assert (model["offset"], model["deployment_prevalence"]) == (0, None)
    assert model["provenance"] is None


def test_percentile_is_read_from_quantiles(client: TestClient, mammogram_png: bytes) -> None:
    """Those of the fake are even, so that the percentile is the probability in per cent."""
    for route in ("/predict", "/gradcam"):
        prediction = post_image(client, route, mammogram_png)["prediction"]

        expected = 100 * prediction["probabilities"]["cancer"]
        assert prediction["percentile"] == pytest.approx(expected, rel=1e-4)


def test_model_tells_levels_and_provenance() -> None:
    model = FakeModel()
    changes = {
        "offset": -2.0,
        "deployment_prevalence": 0.006,
        "levels": levels(threshold=0.5),
        "provenance": provenance(),
    }
    model.manifest = model.manifest.model_copy(update=changes)
    with TestClient(create_app(Settings(model=FAKE), lambda _: model)) as connected:
        until_ready(connected)
        described = connected.get("/model").json()

    assert (described["offset"], described["deployment_prevalence"]) == (-2.0, 0.006)
    breast = described["levels"]["breast"]
    assert (breast["threshold"], breast["cases"]) == (0.3, 100)
    assert breast["sensitivity"] == {"value": 0.8, "low": 0.7, "high": 0.9}
    assert breast["by_views"]["1"]["threshold"] == 0.35
    assert described["levels"]["exam"]["sensitivity"] is None
    assert "quantiles" not in breast
    assert described["provenance"] == provenance().model_dump()


def test_curves_are_answered_as_measured() -> None:
    model = FakeModel()
    model.curves = curves()
    with TestClient(create_app(Settings(model=FAKE), lambda _: model)) as connected:
        until_ready(connected)
        answer = connected.get("/model/curves").json()

    assert answer["model"]["name"] == "fake"
    assert answer["levels"] == curves().levels.model_dump(mode="json")
    assert answer["calibration"] == curves().calibration.model_dump(mode="json")


def test_model_without_curves_answers_null(client: TestClient) -> None:
    answer = client.get("/model/curves").json()

    assert (answer["levels"], answer["calibration"]) == (None, None)


def test_model_without_levels_has_no_percentile(mammogram_png: bytes) -> None:
    model = FakeModel()
    model.manifest = model.manifest.model_copy(update={"levels": None})
    with TestClient(create_app(Settings(model=FAKE), lambda _: model)) as connected:
        until_ready(connected)
        described = connected.get("/model").json()
        answer = post_image(connected, "/predict", mammogram_png)

    assert described["levels"] is None
    assert "no-levels" in [warning["code"] for warning in described["warnings"]]
    assert answer["prediction"]["percentile"] is None
    assert "no-levels" not in [warning["code"] for warning in answer["warnings"]]


def test_metrics_count_requests_by_route_and_status(
    client: TestClient, mammogram_png: bytes
) -> None:
    def count() -> float:
        prefix = 'mammolens_requests_total{route="/predict",status="200"} '
        lines = client.get("/metrics").text.splitlines()
        return sum(float(line.removeprefix(prefix)) for line in lines if line.startswith(prefix))

    before = count()
    post_image(client, "/predict", mammogram_png)

    assert count() == before + 1


def test_logs_and_metrics_contain_no_caller_data(
    client: TestClient, mammogram_png: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "Doe^Jane"

    with caplog.at_level("DEBUG"):
        client.post(f"/activations/{secret}", files={"file": (f"{secret}.png", mammogram_png)})
        client.post(
            "/predict", params={secret: secret}, files={"file": (f"{secret}.png", secret.encode())}
        )
        client.get(f"/{secret}")

    lines = [
        record.getMessage() for record in caplog.records if record.name.startswith("mammolens")
    ]
    assert len(lines) == 3
    assert not any(secret in line for line in lines)
    assert secret not in client.get("/metrics").text


def test_failed_load_is_reported_and_never_ready() -> None:
    failures: list[BaseException] = []

    def load(_: Settings) -> Model:
        raise BundleMissing("there is none")

    with TestClient(create_app(Settings(), load, failures.append)) as unready:
        deadline = time.monotonic() + 10
        while not failures:
            assert time.monotonic() < deadline
            time.sleep(0.01)

        assert unready.get("/readyz").status_code == 503
        assert unready.get("/livez").status_code == 200

    assert [str(error) for error in failures] == ["there is none"]


def test_service_is_not_ready_before_its_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    readers_ready = threading.Event()
    monkeypatch.setattr(ReaderPool, "wait_until_ready", lambda _: readers_ready.wait(30))

    with TestClient(create_app(Settings(model=FAKE))) as starting:
        time.sleep(0.5)  # the stand-in model has been loaded by then
        waiting = starting.get("/readyz")
        readers_ready.set()
        until_ready(starting)

    assert waiting.status_code == 503
    assert "reader processes" in waiting.json()["detail"]


@pytest.mark.parametrize("method", [method.value for method in Method])
def test_every_method_explains_the_image(
    client: TestClient, mammogram_png: bytes, method: str
) -> None:
    """Methods that explain the input have no layer."""
    heatmap = post_image(client, "/gradcam", mammogram_png, method=method)

    assert heatmap["method"] == method
    has_layer = method not in {"integrated-gradients", "smooth-grad", "occlusion"}
    assert (heatmap["layer"] is not None) == has_layer

    values = np.array(heatmap["values"])
    assert values.min() >= 0
    assert values.max() > 0

    peak = heatmap["peak"]
    (a, _, c), (_, e, f) = heatmap["cell_to_source"]
    row, column = np.unravel_index(values.argmax(), values.shape)
    assert (a * column + c, e * row + f) == pytest.approx((peak["x"], peak["y"]), abs=0.01)
    assert 0 <= peak["x"] < 480
    assert 0 <= peak["y"] < 640


def test_regions_contain_peak_and_follow_level(client: TestClient, mammogram_png: bytes) -> None:
    """Boxes are in source pixels. A lower level gives a larger area."""
    heatmap = post_image(client, "/gradcam", mammogram_png)

    peak = heatmap["peak"]
    (hottest,) = (
        region
        for region in heatmap["regions"]
        if region["peak_value"] == pytest.approx(peak["value"])
    )
    left, top, right, bottom = hottest["box"]
    assert left <= peak["x"] <= right
    assert top <= peak["y"] <= bottom
    assert hottest["area_mm2"] is None

    wider = post_image(client, "/gradcam", mammogram_png, level="0.1")
    assert sum(region["area"] for region in wider["regions"]) > sum(
        region["area"] for region in heatmap["regions"]
    )


@pytest.mark.parametrize("method", ["grad-cam", "occlusion"])
@pytest.mark.parametrize("mirrored", [False, True])
def test_picture_region_and_peak_agree(
    client: TestClient, breast: Pixels, method: str, mirrored: bool
) -> None:
    """The hottest pixel of the picture lies on the peak, to a pixel, and so does a region's."""
    image = encode_png(breast[:, ::-1] if mirrored else breast)

    heatmap = post_image(client, "/gradcam", image, method=method, size="source")

    peak = heatmap["peak"]
    assert heatmap["diagnostics"]["peak_in_breast"]["value"] == 1
    picture = np.asarray(open_png(base64.b64decode(heatmap["picture"]["png"])))
    rows, columns = np.nonzero(picture == picture.max())
    assert np.hypot(columns - peak["x"], rows - peak["y"]).min() < 1

    (hottest,) = (region for region in heatmap["regions"] if region["peak_value"] == peak["value"])
    assert hottest["peak"] == pytest.approx((peak["x"], peak["y"]))


def test_regions_cover_picture_above_level(client: TestClient, mammogram_png: bytes) -> None:
    heatmap = post_image(client, "/gradcam", mammogram_png, size="source", level="0.4")

    picture = np.asarray(open_png(base64.b64decode(heatmap["picture"]["png"])))
    above = picture >= 0.4 * 255
    marked = np.zeros_like(picture)
    for region in heatmap["regions"]:
        contour = np.rint(16 * np.array(region["contour"])).astype(np.int32)
        cv2.fillPoly(marked, [contour], 1, shift=4)
    overlap = (above & (marked == 1)).sum() / (above | (marked == 1)).sum()
    assert overlap > 0.9
    areas = sum(region["area"] for region in heatmap["regions"])
    assert areas == pytest.approx(above.sum(), rel=0.05)


def test_no_heat_is_drawn_far_in_air(
    client: TestClient, breast: Pixels, mammogram_png: bytes
) -> None:
    heatmap = post_image(client, "/gradcam", mammogram_png, method="smooth-grad", size="source")

    picture = np.asarray(open_png(base64.b64decode(heatmap["picture"]["png"])))
    distance = cv2.distanceTransform((breast == 0).astype(np.uint8), cv2.DIST_L2, 5)
    assert picture[distance == 0].any()
    assert not picture[distance > 0.03 * 640].any()


def test_full_diagnostics_on_request(client: TestClient, mammogram_png: bytes) -> None:
    quick = post_image(client, "/gradcam", mammogram_png)["diagnostics"]
    full = post_image(client, "/gradcam", mammogram_png, diagnostics="full")["diagnostics"]

    assert full.keys() - quick.keys() == {"stability", "insertion_gap", "deletion_gap"}
    # The fake model detects bright spots, and its heat is on one.
    assert full["insertion_gap"]["value"] > 0
    assert full["stability"]["value"] > 0.9


def test_diagnostic_has_reference_range_of_the_model(
    client: TestClient, mammogram_png: bytes
) -> None:
    entropy = post_image(client, "/gradcam", mammogram_png)["diagnostics"]["entropy"]

    assert entropy["reference"] == {"low": 0.0, "high": 0.95}
    assert entropy["unusual"] == (entropy["value"] > 0.95)
    assert entropy["alarm"] == "above"


def test_out_of_domain_image_is_flagged_everywhere(
    client: TestClient,
) -> None:
    """Every route that takes an image gives the warning."""
    y, x = np.mgrid[:640, :480]
    chequered = 35_000 + 25_000 * np.sign(np.sin(x / 12) * np.sin(y / 12))
    breast = (x / 300) ** 2 + ((y - 320) / 270) ** 2 < 1
    data = encode_png(np.where(breast, chequered, 0).astype(np.uint16))

    for route in ("/predict", "/activations/conv2d", "/gradcam"):
        answer = post_image(client, route, data)
        assert "out-of-domain" in [warning["code"] for warning in answer["warnings"]], route
        assert answer["diagnostics"]["domain_distance"]["value"] > 5


def test_failed_scorecard_is_a_warning_on_every_answer(
    client: TestClient, mammogram_png: bytes
) -> None:
    for route in ("/predict", "/activations/conv2d", "/gradcam"):
        warnings = post_image(client, route, mammogram_png)["warnings"]
        assert "scorecard-failed" in [warning["code"] for warning in warnings]


def test_scorecard_is_json_or_html(client: TestClient) -> None:
    scorecard = client.get("/model/scorecard").json()
    assert scorecard["passed"] is False
    assert scorecard["lines"][0]["verdict"] == "fail"

    page = client.get("/model/scorecard", headers={"accept": "text/html,application/xhtml+xml"})
    assert page.headers["content-type"].startswith("text/html")
    assert "Failed: auc." in page.text
    assert scorecard["lines"][0]["meaning"] in page.text


def strength(heatmap: dict[str, Any]) -> int:
    """Return the index of the hottest pixel in the picture of an answer."""
    return int(np.asarray(open_png(base64.b64decode(heatmap["picture"]["png"]))).max())


def test_heat_has_reference_scale_by_default(client: TestClient, mammogram_png: bytes) -> None:
    heatmap = post_image(client, "/gradcam", mammogram_png, size="source")
    own = post_image(client, "/gradcam", mammogram_png, size="source", scale="image")

    # The reference peak of the stand-in model is 0.008.
    relative_peak = heatmap["peak"]["value"] / 0.008
    assert 0.5 < relative_peak < 0.9
    assert heatmap["scale"] == "reference"
    assert heatmap["relative_peak"] == pytest.approx(relative_peak, rel=1e-4)
    assert strength(heatmap) == pytest.approx(strength(own) * relative_peak, abs=1)
    assert (own["scale"], own["relative_peak"]) == ("image", heatmap["relative_peak"])
    assert own["values"] == heatmap["values"]


def test_weak_map_has_no_region_on_reference_scale(
    client: TestClient, mammogram_png: bytes
) -> None:
    heatmap = post_image(client, "/gradcam", mammogram_png, level="0.9")
    own = post_image(client, "/gradcam", mammogram_png, level="0.9", scale="image")

    assert heatmap["regions"] == []
    assert own["regions"]


@pytest.mark.parametrize("params", [{"method": "eigen-cam"}, {"class": "no_cancer"}])
def test_missing_reference_peak_is_warning_on_request(
    client: TestClient, mammogram_png: bytes, params: dict[str, str]
) -> None:
    def codes(heatmap: dict[str, Any]) -> list[str]:
        return [warning["code"] for warning in heatmap["warnings"]]

    unasked = post_image(client, "/gradcam", mammogram_png, **params)
    asked = post_image(client, "/gradcam", mammogram_png, scale="reference", **params)

    assert (asked["scale"], asked["relative_peak"]) == ("image", None)
    assert "no-reference-peak" in codes(asked)
    assert codes(unasked) == [code for code in codes(asked) if code != "no-reference-peak"]
    assert strength(asked) == strength(unasked) > 230


def test_negative_decision_is_noted_everywhere(client: TestClient, mammogram_png: bytes) -> None:
    note = "Decided negative: heat is no finding."

    heatmap = post_image(client, "/gradcam", mammogram_png)
    picture = client.post("/gradcam", files={"file": mammogram_png}, headers=PNG)

    assert heatmap["prediction"]["positive"] is False
    assert heatmap["note"] == note
    assert [region["note"] for region in heatmap["regions"]] == [note] * len(heatmap["regions"])
    assert picture.headers["mammolens-note"] == open_png(picture.content).info["Note"] == note
    assert picture.headers["mammolens-scale"] == "reference"
    assert open_png(picture.content).info["Scale"] == "reference"


def test_positive_decision_has_no_note(mammogram_png: bytes) -> None:
    """Nor does its overlay have a caption."""

    class Eager(FakeModel):
        manifest = FakeModel.manifest.model_copy(update={"threshold": 0.1})

    with TestClient(create_app(Settings(model=FAKE), lambda _: Eager())) as eager:
        until_ready(eager)
        heatmap = post_image(eager, "/gradcam", mammogram_png)
        picture = eager.post("/gradcam?opacity=0", files={"file": mammogram_png}, headers=PNG)

    assert heatmap["prediction"]["positive"] is True
    assert heatmap["note"] is None
    assert [region["note"] for region in heatmap["regions"]] == [None] * len(heatmap["regions"])
    assert "mammolens-note" not in picture.headers
    pixels = np.asarray(open_png(picture.content))
    assert "Note" not in open_png(picture.content).info
    assert not pixels[:40, 300:].any()


def test_overlay_of_negative_decision_has_caption(
    client: TestClient, mammogram_png: bytes, breast: Pixels
) -> None:
    """The caption lies in air, and everything else is the mammogram."""
    picture = client.post("/gradcam?opacity=0", files={"file": mammogram_png}, headers=PNG)

    pixels = np.asarray(open_png(picture.content))
    assert pixels[breast == 0].max() > 200
    assert pixels[200:440, :200].max() < 255
    assert (pixels[..., 0] > 200).sum() < 3000
