"""Installation, start command and request form of each of the other servers."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.load.servers import ROOT, Server

_COMMON = {
    "PYTHONPATH": "{root}",
    "PEER_COUNTER": "{counter}",
    "PEER_BUNDLE": "{bundle}",
    "PORT": "{port}",
    "HOME": "{scratch}",
}


def install(name: str) -> Path:
    """Install requirements/peers/NAME.txt into build/peers/NAME, and return its Python.

    Installs nothing if the requirements have not changed since the last installation. Every file is
    checked against its hash.

    Raises:
        CalledProcessError: the installation failed.
    """
    requirements = ROOT / "requirements" / "peers" / f"{name}.txt"
    home = ROOT / "build" / "peers" / name
    python = home / "bin" / "python"
    stamp = home / "installed"

    if stamp.exists() and stamp.read_bytes() == requirements.read_bytes():
        return python

    uv = str(ROOT / "requirements" / "uv")
    venv = [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(home)]
    subprocess.run(venv, cwd=ROOT, check=True)  # noqa: S603 - our own program

    command = [
        uv,
        "pip",
        "install",
        "--quiet",
        "--compile-bytecode",
        "--require-hashes",
        "-r",
        str(requirements),
    ]
    subprocess.run(  # noqa: S603 - our own
        [*command, "--python", str(python)],
        cwd=ROOT,
        check=True,
        env={**os.environ, "VENV": ".venv"},
    )

    stamp.write_bytes(requirements.read_bytes())
    return python


def _open_inference(data: bytes) -> bytes:
    """Return a request of the Open Inference Protocol with the image as base64."""
    image = {
        "name": "image",
        "shape": [1, 1],
        "datatype": "BYTES",
        "data": [base64.b64encode(data).decode()],
    }
    return json.dumps({"inputs": [image]}).encode()


def _open_answer(answer: Any) -> Mapping[str, float]:
    """Return the probabilities from the first output of an answer."""
    text = answer["outputs"][0]["data"][0]
    probabilities: Mapping[str, float] = json.loads(text)["probabilities"]
    return probabilities


def _program(name: str, *arguments: str) -> tuple[str, ...]:
    """Return the command line of a program in the environment of a peer."""
    return ("{root}/build/peers/" + name + "/bin/" + arguments[0], *arguments[1:])


LITSERVE = Server(
    "litserve",
    _program("litserve", "python", "-m", "benchmarks.load.peers.litserve_server"),
    _COMMON,
    ready="/health",
    alive="/health",
)
BENTOML = Server(
    "bentoml",
    (
        *_program(
            "bentoml", "bentoml", "serve", "benchmarks.load.peers.bentoml_service:Mammograms"
        ),
        *("--host", "127.0.0.1", "--port", "{port}"),
    ),
    _COMMON | {"BENTOML_DO_NOT_TRACK": "True"},
)
MLSERVER = Server(
    "mlserver",
    _program("mlserver", "mlserver", "start", "{scratch}"),
    _COMMON
    | {
        "MLSERVER_HOST": "127.0.0.1",
        "MLSERVER_HTTP_PORT": "{port}",
        "MLSERVER_GRPC_PORT": "{spare}",
        "MLSERVER_METRICS_PORT": "{other}",
        "MLSERVER_METRICS_DIR": "{scratch}",
        "MLSERVER_PARALLEL_WORKERS": "2",
        "MLSERVER_DEBUG": "false",
        "MLSERVER_MODEL_NAME": "demo",
        "MLSERVER_MODEL_IMPLEMENTATION": "benchmarks.load.peers.mlserver_runtime.Runtime",
        "MLSERVER_MODEL_MAX_BATCH_SIZE": "8",
        "MLSERVER_MODEL_MAX_BATCH_TIME": "0.005",
    },
    path="/v2/models/demo/infer",
    content_type="application/json",
    body=_open_inference,
    probabilities=_open_answer,
    ready="/v2/health/ready",
    alive="/v2/health/live",
)
MOSEC = Server(
    "mosec",
    (
        *_program("mosec", "python", "-m", "benchmarks.load.peers.mosec_server"),
        *(
            "--address",
            "127.0.0.1",
            "--port",
            "{port}",
            "--timeout",
            "1000",
            "--max-request-size",
            "134217728",
        ),
    ),
    _COMMON,
    path="/inference",
    ready="/",
    alive="/",
)
PEERS = {server.name: server for server in (LITSERVE, BENTOML, MLSERVER, MOSEC)}
