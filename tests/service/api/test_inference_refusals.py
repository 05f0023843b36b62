"""Inference requests that cannot be answered are refused clearly, and in bounded memory."""

import base64
import gzip
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from service.access import AccessScope, add_key
from service.api.app import create_app
from service.api.inference.request_body import MAX_JSON_BYTES, MAX_JSON_VALUES
from service.model import FakeModel
from service.settings import FAKE, Settings
from tests.support.clients import until_ready
from tests.support.inference import LENGTH, fitted_in_binary, in_binary, in_json, joined

MANIFEST = FakeModel.manifest
MODEL = f"/v2/models/{MANIFEST.name}"
INFER = f"{MODEL}/infer"
SHAPE = (1, *MANIFEST.input_shape)
OCTETS = {"Content-Type": "application/octet-stream"}


def assert_refused(answer: Response, status: int, text: str) -> None:
    """Check the status, and that the error has the protocol's shape and says this."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.json().keys() == {"error"}
    assert text in answer.json()["error"]


def image(**changed: Any) -> dict[str, Any]:
    """Return a request with an input `image`, of which members are changed."""
    tensor = {"name": "image", "shape": [1], "datatype": "BYTES", "data": ["aaaa"], **changed}
    return {"inputs": [tensor]}


@pytest.mark.parametrize(
    ("request_json", "text"),
    [
        ([], "Input should be a valid dictionary"),
        ({}, "inputs: Field required"),
        ({"inputs": []}, "at least 1 item"),
        ({"inputs": image()["inputs"] * 2}, "at most 1 item"),
        (image(name="scan"), "inputs.0.name: Input should be 'image' or 'fitted'"),
        (image(datatype="FP32"), "the datatype of 'image' is BYTES"),
        (image(shape=[2]), "'image' has not as many elements"),
        (image(shape=[1, 2]), "[N] or [N, 1]"),
        (image(shape=[0]), "greater than or equal to 1"),
        (image(data=None), "either data or the parameter binary_data_size"),
        (image(data=[1]), "strings in base64"),
        (image(data=["%"]), "not valid base64"),
        (image(data=["aaaa", ["aaaa"]]), "different depths"),
        (image(parameters={"binary_data_size": 4}), "either data or"),
        (image(parameters={"content_type": "np"}), "content_type: String should match"),
        (image() | {"parameters": {"priority": 1}}, "priority: Extra inputs are not permitted"),
        (image() | {"parameters": {"explain": "x"}}, "'grad-cam'"),
        (image() | {"parameters": {"layer": "conv2d"}}, "need the parameter 'explain'"),
        (image() | {"outputs": [{"name": "heatmap"}]}, "need the parameter 'explain'"),
        (image() | {"outputs": [{"name": "logits"}]}, "outputs.0.name"),
        (image() | {"outputs": [{"name": "label"}] * 2}, "named twice"),
    ],
)
def test_json_beside_the_protocol_is_refused(
    client: TestClient, request_json: Any, text: str
) -> None:
    assert_refused(client.post(INFER, json=request_json), 400, text)


def test_error_never_repeats_what_was_sent(client: TestClient) -> None:
    name = "Doe^Jane"
    sent = image(name=name, datatype=name, data=[name]) | {"parameters": {name: name}, "id": name}

    answer = client.post(INFER, json=sent)

    assert answer.status_code == 400
    assert name not in answer.text


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b'{"inputs": ', "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[" + b"0," * MAX_JSON_VALUES + b"0]", "has more than 500000 values"),
    ],
    ids=["empty", "no text", "cut", "nested", "values"],
)
def test_malformed_json_is_refused(client: TestClient, content: bytes, text: str) -> None:
    headers = {"Content-Type": "application/json"}

    assert_refused(client.post(INFER, content=content, headers=headers), 400, text)


def test_large_json_is_refused_unread(client: TestClient) -> None:
    large = b" " * (MAX_JSON_BYTES + 1)

    alone = client.post(INFER, content=large, headers={"Content-Type": "application/json"})
    before = client.post(INFER, content=b"{}", headers={**OCTETS, LENGTH: str(len(large))})
    unpacked = client.post(
        INFER, content=gzip.compress(large), headers={"Content-Encoding": "gzip", **OCTETS}
    )

    for answer in (alone, before, unpacked):
        assert_refused(answer, 413, "larger than 16777216 bytes. Send the bytes of large files as")


@pytest.mark.parametrize("length", ["", "-1", "1e3", "²", "9" * 5000, "999"])
def test_wrong_length_of_json_is_refused(client: TestClient, length: str) -> None:
    headers = {name.encode(): value.encode() for name, value in {**OCTETS, LENGTH: length}.items()}

    answer = client.post(INFER, content=b"{}", headers=headers)

    assert answer.status_code in (400, 413)
    assert "error" in answer.json()


@pytest.mark.parametrize(
    ("tensor", "size", "text"),
    [
        (b"\x01\x00\x00\x00a", 4, "not as many as the parameter binary_data_size"),
        (b"\x01\x00\x00\x00a", 6, "not as many as the parameter binary_data_size"),
        (b"\x01\x00\x00", 3, "within the length of an element"),
        (b"\x02\x00\x00\x00a", 5, "within an element"),
        (b"\xff\xff\xff\xffa", 5, "within an element"),
        (struct.pack("<I", 0) * 2, 8, "not as many elements"),
    ],
)
def test_malformed_binary_tensor_is_refused(
    client: TestClient, tensor: bytes, size: int, text: str
) -> None:
    request = image(parameters={"binary_data_size": size})
    del request["inputs"][0]["data"]

    assert_refused(client.post(INFER, **joined(request, tensor)), 400, text)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (np.full(SHAPE, 0.5)[:, 1:], "for this model"),
        (np.full(SHAPE, 1.5), "outside of 0 to 1"),
        (np.full(SHAPE, np.nan), "outside of 0 to 1"),
        (np.zeros(SHAPE), "all values of the tensor are 0"),
    ],
)
def test_tensor_that_is_not_fitted_is_refused(
    client: TestClient, values: np.ndarray[Any, Any], text: str
) -> None:
    answer = client.post(INFER, **fitted_in_binary(values))

    assert answer.status_code in (400, 422)
    assert_refused(answer, answer.status_code, text)


@pytest.mark.parametrize(
    ("data", "text"),
    [(["0.5"], "are numbers"), ([True], "are numbers"), ([10**400], "no FP32"), ([0.5], "shape")],
)
def test_elements_of_fitted_are_checked(client: TestClient, data: list[Any], text: str) -> None:
    tensor = {"name": "fitted", "shape": list(SHAPE), "datatype": "FP32", "data": data}

    assert_refused(client.post(INFER, json={"inputs": [tensor]}), 400, text)


def test_refusal_tells_which_images_are_bad(client: TestClient, mammogram_png: bytes) -> None:
    answer = client.post(INFER, **in_binary(mammogram_png, b"no image", b""))

    assert_refused(answer, 422, "2 of 3 images cannot be read. Image 2: The file is not")
    assert "Image 3: " in answer.json()["error"]


def test_only_image_has_error_of_predict(client: TestClient) -> None:
    expected = client.post("/predict", files={"file": b"no image"})

    answer = client.post(INFER, json=in_json(b"no image"))

    assert_refused(answer, expected.status_code, expected.json()["detail"])


def test_file_and_count_are_bounded(client: TestClient) -> None:
    too_large = client.post(INFER, **in_binary(bytes(4_000_001)))
    too_many = client.post(INFER, **in_binary(*[b"a"] * 65))

    assert_refused(too_large, 413, "larger than 4000000 bytes")
    assert_refused(too_many, 413, "more than")


@pytest.mark.parametrize("path", ["/v2/models/other", f"{MODEL}/versions/2"])
@pytest.mark.parametrize("suffix", ["", "/ready", "/infer"])
def test_other_model_or_version_is_unknown(client: TestClient, path: str, suffix: str) -> None:
    send = client.post if suffix == "/infer" else client.get

    assert_refused(send(f"{path}{suffix}"), 404, "no model of that name and version")


def test_routes_of_the_protocol_have_its_errors(client: TestClient) -> None:
    assert_refused(client.get("/v2/none"), 404, "no route")
    assert_refused(client.get(INFER), 405, "does not support")
    assert_refused(client.get(MODEL, params={"x": "1"}), 422, "x: Extra inputs")
    assert_refused(client.post(INFER, files={"file": b"a"}), 415, "unsupported")


def test_service_without_model_is_not_ready() -> None:
    loading = TestClient(create_app(Settings(model=FAKE)))

    assert_refused(loading.get("/v2/health/ready"), 503, "still being loaded")
    assert_refused(loading.get(f"{MODEL}/ready"), 503, "still being loaded")
    assert loading.get("/v2/health/live").json() == {"live": True}


def test_explanation_needs_its_scope(tmp_path: Path, mammogram_png: bytes) -> None:
    keys = tmp_path / "keys.json"
    both = [AccessScope.PREDICT, AccessScope.EXPLAIN]
    tokens = [add_key(keys, "a", both[:1]), add_key(keys, "b", both)]
    request = in_json(mammogram_png, parameters={"explain": "grad-cam"})

    with TestClient(create_app(Settings(model=FAKE, keys=keys))) as client:
        until_ready(client)
        answers = [
            client.post(INFER, json=sent, headers={"Authorization": f"Bearer {token}"})
            for token in tokens
            for sent in (in_json(mammogram_png), request)
        ]
        anonymous = client.post(INFER, json=request)

    assert [answer.status_code for answer in answers] == [200, 403, 200, 200]
    assert_refused(answers[1], 403, "lacks the scope 'explain'")
    assert_refused(anonymous, 401, "required")


def test_costly_explanation_is_refused_at_once(client: TestClient, mammogram_png: bytes) -> None:
    request = in_json(mammogram_png, parameters={"explain": "smooth-grad", "diagnostics": "full"})

    answer = client.post(INFER, json=request, headers={"Request-Timeout": "0.02"})

    assert answer.status_code in (422, 504)
    assert "error" in answer.json()


def test_body_counts_while_it_is_taken_apart(mammogram_png: bytes) -> None:
    """Base64 is held several times over, and is refused where there is no room for that."""
    data = base64.b64encode(bytes(3_000_000)).decode()
    settings = Settings(
        model=FAKE, max_upload_bytes=4_000_000, max_exam_bytes=4_000_000, max_body_bytes=8_000_000
    )
    with TestClient(create_app(settings)) as client:
        until_ready(client)
        answer = client.post(INFER, json=image(data=[data]))
        small = client.post(INFER, json=in_json(mammogram_png))

    assert_refused(answer, 429, "memory")
    assert answer.headers["retry-after"]
    assert small.status_code == 200
    assert json.loads(small.text)["outputs"]
