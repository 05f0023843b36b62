"""Nothing that the service sends or writes repeats a name.

Files and requests full of names go to every route. The answers, the log, the audit, the metrics and
the traces must hold none of them.
"""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from pydicom.dataset import Dataset, FileDataset

from training.phantoms import Acquisition, Detector, PhantomIdentity, render_view, to_dicom

MARK = "QZMARK"
NAME = f"{MARK}^Jane Doe/../<1956>"
KEY = f"{MARK} is the beginning of the key here"
UID = PhantomIdentity().uid("image", 1)
ROUTES = [
    "/predict", "/activations/conv2d", "/gradcam",
    "/activations/conv2d.png", "/activations/conv2d.jpeg", "/activations/conv2d.webp",
    "/gradcam.png", "/gradcam.jpeg", "/gradcam.webp", "/exam",
]  # fmt: skip
QUERIES = {
    "plain": {},
    "odd": {NAME: NAME},
    "layer": {"layer": NAME},
    "colormap": {"colormap": NAME},
}
HEADERS = {
    "x-request-id": NAME,
    "user-agent": NAME,
    "referer": f"http://{MARK}/{NAME}",
    "cookie": f"session={NAME}",
    "authorization": f"Basic {NAME}",
    "traceparent": f"00-{MARK}",
    "tracestate": f"{MARK.lower()}={MARK}",
    "baggage": f"patient={MARK}",
    "request-timeout": NAME,
    "x-forwarded-for": NAME,
}
QUIET = {name: value for name, value in HEADERS.items() if name != "request-timeout"}


def named_phantom(syntax: str) -> FileDataset:
    """Return a phantom with a name in every element that can hold one.

    Some of these elements are read by the service.
    """
    image = render_view(np.random.default_rng(6), detector=Detector(320, 240))
    acquisition = Acquisition(transfer_syntax=syntax)  # type: ignore[arg-type]  # a known name
    dataset = to_dicom(image, acquisition)

    dataset.PatientName = f"{MARK}^Jane"
    for keyword in (
        "PatientID",
        "AccessionNumber",
        "InstitutionName",
        "StudyDescription",
        "SeriesDescription",
    ):
        setattr(dataset, keyword, f"{MARK} {keyword}"[:16])
    for keyword in (
        "PatientComments",
        "ImageComments",
        "DerivationDescription",
        "WindowCenterWidthExplanation",
    ):
        setattr(dataset, keyword, f"{MARK} {keyword}")
    dataset.OperatorsName = f"{MARK}^Operator"

    block = dataset.private_block(0x0011, f"{MARK} CREATOR", create=True)
    block.add_new(1, "LO", f"{MARK} PRIVATE")
    block.add_new(2, "UN", MARK.encode())

    item = Dataset()
    item.PatientID = f"{MARK} OTHER"
    dataset.OtherPatientIDsSequence = [item]
    return dataset


def to_bytes(dataset: FileDataset) -> bytes:
    buffer = BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


def with_names_as_values(**elements: str) -> bytes:
    """Return a phantom with a name as the value of elements that the service reads.

    `elements`: their values are 11111111, which is replaced by the name after writing.
    """
    dataset = named_phantom("explicit")
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return to_bytes(dataset).replace(b"11111111", f"{MARK}11".encode())


def with_damaged_pixels(syntax: str) -> bytes:
    """Return a phantom with 4,000 bytes of its compressed image overwritten by the mark."""
    data = bytearray(to_bytes(named_phantom(syntax)))

    middle = len(data) - 6_000
    data[middle : middle + 4_000] = (MARK.encode() * 1_000)[:4_000]
    return bytes(data)


def files() -> dict[str, bytes]:
    """Return sound and damaged files, keyed by their name in the answers."""
    sound = {
        syntax: to_bytes(named_phantom(syntax))
        for syntax in ("explicit", "jpeg2000", "jpeg-ls", "jpeg-lossless")
    }

    return sound | {
        "truncated": sound["explicit"][:-40_000],
        "truncated, compressed": sound["jpeg2000"][:-4_000],
        "truncated header": sound["explicit"][:700],
        "undecodable jpeg2000": with_damaged_pixels("jpeg2000"),
        "undecodable jpeg-ls": with_damaged_pixels("jpeg-ls"),
        "undecodable jpeg-lossless": with_damaged_pixels("jpeg-lossless"),
        "number": with_names_as_values(WindowCenter="11111111"),
        "date": with_names_as_values(StudyDate="11111111"),
        "code": with_names_as_values(
            Laterality="11111111", ViewPosition="11111111", BodyPartExamined="11111111"
        ),
        "kind": with_names_as_values(Modality="11111111"),
        "grey": with_names_as_values(PhotometricInterpretation="11111111"),
        "words": NAME.encode() * 50,
    }


@dataclass
class Collector:
    """An OTLP/HTTP collector."""

    bodies: list[bytes] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[str]:
        """Run the collector and yield its address."""
        bodies = self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                bodies.append(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        with HTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}/v1/traces"
            finally:
                server.shutdown()
                thread.join()

    def names(self) -> list[str]:
        """Return the names of all spans."""
        parsed = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]

        return [
            span.name
            for request in parsed
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@dataclass
class Traffic:
    """Answers by name of their request, and all text that the service wrote."""

    answers: dict[str, httpx.Response] = field(default_factory=dict)
    metrics: str = ""
    log: str = ""
    audit: str = ""
    traces: Collector = field(default_factory=Collector)


@pytest.fixture(scope="module")
def traffic(start: Any, tmp_path_factory: pytest.TempPathFactory) -> Traffic:
    """Send all requests to a service and collect its answers and all that it wrote."""
    folder = tmp_path_factory.mktemp("privacy")
    collected = Traffic()
    settings = {
        "MAMMOLENS_AUDIT_LOG": str(folder / "audit.jsonl"),
        "MAMMOLENS_AUDIT_KEY": KEY,
        "OTEL_BSP_SCHEDULE_DELAY": "50",
    }

    with collected.traces.running() as address:
        with (
            (folder / "log").open("wb") as log,
            start(log, MAMMOLENS_TRACES=address, **settings) as running,
        ):
            with httpx.Client(base_url=running.address, timeout=60) as client:
                send_requests(client, collected.answers)
                send_broken_requests(running.address)
                collected.metrics = client.get("/metrics").text
            time.sleep(0.3)  # until the disconnected client is logged

        collected.log = (folder / "log").read_text("utf-8")
        collected.audit = (folder / "audit.jsonl").read_text("utf-8")
    return collected


def send_requests(client: httpx.Client, answers: dict[str, httpx.Response]) -> None:
    """Send names in files, queries, headers, forms, paths and methods. Add the answers."""
    raw = QUIET | {"content-type": f"application/dicom; name={MARK}"}
    for name, data in files().items():
        form = {"file": (f"{NAME}.dcm", data, f"application/{MARK}")}
        for route in ROUTES:
            answers[f"{name} {route}"] = client.post(route, files=form, headers=QUIET)
        answers[f"{name} raw"] = client.post("/predict", content=data, headers=raw)

    data = to_bytes(named_phantom("explicit"))
    form = {"file": (f"{NAME}.dcm", data, f"application/{MARK}")}
    for name, query in QUERIES.items():
        for route in [*ROUTES, f"/activations/{MARK}"]:
            answers[f"query {name} {route}"] = client.post(
                route, params=query, files=form, headers=HEADERS
            )

    other = named_phantom("explicit")
    other.PatientID = f"{MARK} other"
    answers["mixed exam"] = client.post(
        "/exam", files=[("file", data), ("L-CC", to_bytes(other))], headers=QUIET
    )
    answers["part of an exam"] = client.post("/exam", files={NAME: data}, headers=QUIET)
    answers["form"] = client.post(
        "/predict", files={MARK: (NAME, data)}, data={MARK: NAME}, headers=QUIET
    )
    answers["path"] = client.get(f"/patients/{MARK}", headers=QUIET)
    answers["method"] = client.request(MARK, "/predict", headers=QUIET)
    answers["type"] = client.post(
        "/predict", content=data, headers=QUIET | {"content-type": f"text/{MARK}"}
    )
    answers["accept"] = client.post(
        "/predict", files={"file": data}, headers=QUIET | {"accept": f"text/{MARK}"}
    )


def send_broken_requests(service: str) -> None:
    """Send a request without most of its body and disconnect, then send bytes that are not HTTP."""
    url = urlsplit(service)
    address = (str(url.hostname), url.port or 0)
    head = (
        "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: 99\r\n\r\n"
    )

    for text in (head + MARK, f"{MARK}\r\n\r\n"):
        with socket.create_connection(address, timeout=10) as connection:
            connection.sendall(text.encode())
            time.sleep(0.2)


def test_requests_reach_and_fail_at_every_step(traffic: Traffic) -> None:
    problems = {
        answer.json()["type"].removeprefix("urn:mammolens:")
        for answer in traffic.answers.values()
        if answer.headers["content-type"] == "application/problem+json"
    }

    assert {
        "corrupt-image",
        "not-a-mammogram",
        "unsupported-format",
        "invalid-parameter",
        "missing-file",
        "malformed-upload",
        "mixed-exam",
        "no-image-answered",
    } <= problems
    assert "internal-error" not in problems

    for syntax in ("explicit", "jpeg2000", "jpeg-ls", "jpeg-lossless"):
        for route in ROUTES:
            answer = traffic.answers[f"{syntax} {route}"]
            assert answer.status_code == 200, answer.text
    assert UID in traffic.answers["explicit /predict"].text


def test_no_answer_repeats_a_name(traffic: Traffic) -> None:
    for name, answer in traffic.answers.items():
        assert MARK.lower() not in (answer.text + str(answer.headers)).lower(), name
        if answer.status_code != 200:
            assert UID not in answer.text, name


def test_log_has_each_request_and_no_name(traffic: Traffic) -> None:
    lines = [json.loads(line) for line in traffic.log.splitlines()]
    access = [line for line in lines if line["logger"] == "mammolens.access"]
    ids = {line["request_id"] for line in access}

    assert len(access) >= len(traffic.answers)
    for name, answer in traffic.answers.items():
        if name != "method":  # the parser rejects it and answers itself
            assert answer.headers["x-request-id"] in ids, name
    assert MARK.lower() not in traffic.log.lower()
    assert UID not in traffic.log


def test_disconnected_caller_is_logged_as_abandoned(traffic: Traffic) -> None:
    assert '"problem": "abandoned"' in traffic.log
    assert '"status": 500' not in traffic.log


def test_metrics_hold_no_name(traffic: Traffic) -> None:
    assert 'mammolens_requests_total{route="/predict",status="200"}' in traffic.metrics
    assert MARK.lower() not in traffic.metrics.lower()
    assert UID not in traffic.metrics


def test_audit_has_each_image_and_no_name(traffic: Traffic) -> None:
    lines = [json.loads(line) for line in traffic.audit.splitlines()]
    answered = {
        answer.headers["x-request-id"]
        for answer in traffic.answers.values()
        if answer.status_code == 200
    }

    assert answered <= {line["request_id"] for line in lines}
    assert {"ok", "corrupt-image"} <= {line["outcome"] for line in lines}
    assert MARK.lower() not in traffic.audit.lower()
    assert UID not in traffic.audit


def test_traces_have_each_request_and_no_name(traffic: Traffic) -> None:
    names = traffic.traces.names()
    exported = b"".join(traffic.traces.bodies)

    assert {
        "POST /predict",
        "POST /activations/{layer}",
        "POST /activations/{layer}.png",
        "POST /gradcam",
        "POST /gradcam.png",
        "POST /exam",
        "decode",
        "explain",
    } <= set(names)
    assert sum(name.startswith("POST ") for name in names) >= len(traffic.answers) - 2
    assert MARK.lower().encode() not in exported.lower()
    assert UID.encode() not in exported
