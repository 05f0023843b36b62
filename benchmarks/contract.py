"""Sends requests that Schemathesis derives from the API document, and checks every answer.

    python -m benchmarks.contract [--examples 600] [--seed 1]

The service runs with the stand-in model and with keys. Requests follow the document or break it in
one place, with an image that the service reads or with any bytes, with a key, another one or none.
Every check of Schemathesis is made but that all requests which follow the document are accepted:
no schema can say which bytes are a mammogram. 504 counts as no fault of the service, since a
request may ask for any deadline. Exits with the status of Schemathesis, 0 if it found nothing.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.load.ours import SERVER
from benchmarks.load.peers.starts import install
from benchmarks.load.servers import ROOT, started
from benchmarks.timing import phantom_files
from service.access import AccessScope, add_key
from service.settings import FAKE

_CONFIGURATION = """
hooks = "benchmarks.contract_hooks"

[parameters]
"path.layer" = "conv2d"
"path.name" = "fake"
"path.version" = "1"

[checks]
positive_data_acceptance.enabled = false

[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", 504]
"""


def main() -> int:
    """Run Schemathesis against the service and return its status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--examples", type=int, default=600, help="random requests to each operation at most"
    )
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    install("schemathesis")

    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as log:
        keys = Path(folder, "keys.toml")
        key = add_key(keys, "contract", list(AccessScope))
        settings = {"MAMMOLENS_MODEL": str(FAKE), "MAMMOLENS_KEYS": str(keys)}
        server = replace(SERVER, environment={**SERVER.environment, **settings})

        with started(server, log) as running:
            limits = ["--max-examples", str(options.examples), "--seed", str(options.seed)]
            return _run(Path(folder), running.address, key, limits)


def _run(folder: Path, address: str, key: str, limits: list[str]) -> int:
    """Run Schemathesis with its files in a folder, and return its status."""
    Path(folder, "schemathesis.toml").write_text(_CONFIGURATION, "utf-8")
    image = Path(folder, "image.dcm")
    image.write_bytes(phantom_files(["jpeg2000"], 640, 480)["jpeg2000"])

    program = ROOT / "build" / "peers" / "schemathesis" / "bin" / "schemathesis"
    header = ["-H", f"Authorization: Bearer {key}"]
    done = subprocess.run(  # noqa: S603 - our own installation
        [program, "run", f"{address}/openapi.json", *header, *limits, "--continue-on-failure"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "CONTRACT_IMAGE": str(image)},
        check=False,
    )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
