"""The command line, in a separate process.

A start that fails prints one line on standard error.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from service.model import MANIFEST_FILE, GoldenCase, Manifest, checksums
from tests.support.paths import ROOT
from tests.support.servers import run


def error_lines(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the lines on standard error, without the log lines of a normal start."""
    return [line for line in done.stderr.splitlines() if '"level": "INFO"' not in line]


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "192.0.2.1", "example.org"],  # noqa: S104 - is refused
)
def test_public_address_requires_explicit_permission(host: str) -> None:
    done = run(HOST=host, MAMMOLENS_MODEL="fake")

    assert done.returncode == 1
    (line,) = error_lines(done)
    assert "MAMMOLENS_ALLOW_ANONYMOUS=true" in line


def test_missing_bundle_stops_start_with_remedy() -> None:
    done = run(MAMMOLENS_MODEL="models/none/1")

    assert done.returncode == 1
    (line,) = error_lines(done)
    assert "models/none/1" in line
    assert "training export" in line


def test_damaged_bundle_stops_start_and_names_file(tmp_path: Path) -> None:
    bundle = shutil.copytree(ROOT / "models" / "demo" / "1", tmp_path / "1")
    with (bundle / "saved_model.pb").open("ab") as file:
        file.write(b"\0")

    done = run(MAMMOLENS_MODEL=str(bundle))

    assert done.returncode == 1
    (line,) = error_lines(done)
    assert "altered: saved_model.pb" in line


def test_unreproduced_golden_case_stops_start(
    tmp_path: Path,
) -> None:
    bundle = shutil.copytree(ROOT / "models" / "demo" / "1", tmp_path / "1")
    golden = GoldenCase.load(bundle)
    replace(golden, probabilities=golden.probabilities[::-1]).save(bundle)

    # The checksums are renewed, so that only the golden case differs.
    manifest = Manifest.model_validate_json((bundle / MANIFEST_FILE).read_bytes())
    changed = manifest.model_copy(update={"files": checksums(bundle)})
    (bundle / MANIFEST_FILE).write_text(changed.model_dump_json(), encoding="utf-8")

    done = run(MAMMOLENS_MODEL=str(bundle))

    assert done.returncode == 1
    lines = error_lines(done)
    (line,) = (line for line in lines if line.startswith("mammolens: "))
    assert all(json.loads(other)["logger"] == "native" for other in lines if other != line)
    assert "does not reproduce its golden case" in line
    assert "probabilities" in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("MAMMOLENS_READERS", "0"),
        ("MAMMOLENS_THREADS", "x"),
        ("MAMMOLENS_TRACES", "collector"),
        ("MAMMOLENS_AUDIT_KEY", "k" * 31),
    ],
)
def test_invalid_setting_is_named(name: str, value: str) -> None:
    done = run(**{"MAMMOLENS_MODEL": "fake", name: value})

    assert done.returncode == 1
    (line,) = error_lines(done)
    assert line.startswith(f"mammolens: invalid settings: {name}: ")


@pytest.mark.parametrize(
    ("name", "value"), [("MAMMOLENS_AUDIT_LOG", "audit.jsonl"), ("MAMMOLENS_AUDIT_KEY", "k" * 32)]
)
def test_audit_needs_both_log_and_key(name: str, value: str) -> None:
    done = run(**{"MAMMOLENS_MODEL": "fake", name: value})

    assert done.returncode == 1
    (line,) = error_lines(done)
    assert "MAMMOLENS_AUDIT_LOG and MAMMOLENS_AUDIT_KEY" in line
    assert value not in line


def test_issuer_without_audience_stops_start() -> None:
    done = run(MAMMOLENS_MODEL="fake", MAMMOLENS_OIDC_ISSUER="https://login.example")

    assert done.returncode == 1
    (line,) = error_lines(done)
    assert "MAMMOLENS_OIDC_AUDIENCE" in line


def test_jwks_without_issuer_stops_start() -> None:
    done = run(MAMMOLENS_MODEL="fake", MAMMOLENS_OIDC_JWKS="https://login.example/keys")

    assert done.returncode == 1
    (line,) = error_lines(done)
    assert "MAMMOLENS_OIDC_ISSUER" in line


@pytest.mark.parametrize("variable", ["MAMMOLENS_OIDC_ISSUER", "MAMMOLENS_OIDC_JWKS"])
def test_provider_over_plain_http_stops_start(variable: str) -> None:
    tokens = {
        "MAMMOLENS_OIDC_ISSUER": "https://login.example",
        "MAMMOLENS_OIDC_AUDIENCE": "mammolens",
    }

    done = run(**tokens | {"MAMMOLENS_MODEL": "fake", variable: "http://login.example/keys"})

    assert done.returncode == 1
    (line,) = error_lines(done)
    assert "https" in line


def test_unreadable_key_file_stops_start(tmp_path: Path) -> None:
    done = run(MAMMOLENS_MODEL="fake", MAMMOLENS_KEYS=str(tmp_path / "none"))

    assert done.returncode == 1
    (line,) = error_lines(done)
    assert "key file" in line


def test_unwritable_audit_log_stops_start(tmp_path: Path) -> None:
    path = tmp_path / "none" / "audit.jsonl"

    done = run(MAMMOLENS_MODEL="fake", MAMMOLENS_AUDIT_LOG=str(path), MAMMOLENS_AUDIT_KEY="k" * 32)

    assert done.returncode == 1
    (line,) = error_lines(done)
    assert str(path) in line


def test_traces_without_packages_name_the_extra() -> None:
    script = (
        "import importlib.metadata as m, sys\n"
        "def version(name): raise m.PackageNotFoundError(name)\n"
        "m.version = version\n"
        "from service.cli import main\n"
        "sys.exit(main([]))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={
            **os.environ,
            "MAMMOLENS_MODEL": "fake",
            "MAMMOLENS_TRACES": "http://127.0.0.1:4318/v1/traces",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    (line,) = error_lines(done)
    assert "mammolens[tracing]" in line


def test_help_has_examples() -> None:
    done = run("--help")

    assert done.returncode == 0
    assert "curl -F file=@" in done.stdout
    assert "MAMMOLENS_MAX_PIXELS (default 64000000)" in done.stdout


def test_health_reports_that_service_does_not_answer() -> None:
    done = run("health", PORT="1")

    assert done.returncode == 1
    (line,) = error_lines(done)
    assert "does not answer" in line


def test_termination_while_loading_ends_soon() -> None:
    script = (
        "import sys, time\n"
        "from service.runtime import model_loader\n"
        "model_loader.FakeModel = lambda: time.sleep(60)\n"
        "from service.cli import main\n"
        "sys.exit(main([]))\n"
    )

    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "HOST": "127.0.0.1", "PORT": "0", "MAMMOLENS_MODEL": "fake"},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        messages = (json.loads(line)["message"] for line in process.stderr)
        (port,) = islice((text.split()[3] for text in messages if "listening" in text), 1)
        wait_until_alive(port)

        start = time.monotonic()
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=60)

    assert code == 0
    assert time.monotonic() - start < 20


def wait_until_alive(port: str) -> None:
    url = f"http://127.0.0.1:{port}/livez"
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            return


def test_port_in_use_is_told_in_one_line() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])

        done = run(MAMMOLENS_MODEL="fake", PORT=port)

    assert done.returncode == 1
    (line,) = error_lines(done)
    expected = f"cannot listen on port {port} of 127.0.0.1: Address already in use"
    assert line == f"mammolens: {expected}"


def test_unexpected_error_at_start_is_one_log_line() -> None:
    """Its message is not logged, as it may quote something."""
    script = (
        "import os, sys\n"
        "from service.runtime import model_loader\n"
        "def fail():\n"
        "    os.write(2, b'E0000 native words\\n')\n"
        "    raise RuntimeError('Doe^Jane')\n"
        "model_loader.FakeModel = fail\n"
        "from service.cli import main\n"
        "sys.exit(main([]))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "HOST": "127.0.0.1", "PORT": "0", "MAMMOLENS_MODEL": "fake"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    lines = [json.loads(line) for line in error_lines(done)]
    by_logger = {line["logger"]: line for line in lines}
    assert by_logger["native"]["message"] == "E0000 native words"
    assert by_logger["native"]["level"] == "WARNING"
    assert "builtins.RuntimeError" in by_logger["mammolens"]["exception"]
    assert "Doe^Jane" not in done.stderr
    assert len(lines) == 2
