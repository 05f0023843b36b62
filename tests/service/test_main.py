"""The command line, as a process of its own."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from service.model import MANIFEST_FILE, GoldenCase, Manifest, checksums
from tests.support.paths import ROOT


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        cwd=ROOT,
        env={**os.environ, "HOST": "127.0.0.1", "PORT": "0", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def complaints(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Lines on standard error that are no log of a normal start."""
    return [line for line in done.stderr.splitlines() if '"level": "INFO"' not in line]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])  # noqa: S104 - is refused
def test_an_address_that_others_reach_is_refused_unless_told_in_so_many_words(host: str) -> None:
    done = run(HOST=host, MAMMOLENS_MODEL="fake")
    assert done.returncode == 1
    (line,) = complaints(done)
    assert "MAMMOLENS_ALLOW_ANONYMOUS=true" in line


def test_a_missing_bundle_stops_the_start_with_one_line_that_says_what_to_do() -> None:
    done = run(MAMMOLENS_MODEL="models/none/1")
    assert done.returncode == 1
    (line,) = complaints(done)
    assert "models/none/1" in line
    assert "training export" in line


def test_a_damaged_bundle_stops_the_start_with_one_line_that_names_the_file(tmp_path: Path) -> None:
    bundle = shutil.copytree(ROOT / "models" / "demo" / "1", tmp_path / "1")
    with (bundle / "saved_model.pb").open("ab") as file:
        file.write(b"\0")
    done = run(MAMMOLENS_MODEL=str(bundle))
    assert done.returncode == 1
    (line,) = complaints(done)
    assert "altered: saved_model.pb" in line


def test_a_bundle_that_does_not_reproduce_its_golden_case_stops_the_start_with_one_line(
    tmp_path: Path,
) -> None:
    bundle = shutil.copytree(ROOT / "models" / "demo" / "1", tmp_path / "1")
    golden = GoldenCase.load(bundle)
    replace(golden, probabilities=golden.probabilities[::-1]).save(bundle)
    manifest = Manifest.model_validate_json((bundle / MANIFEST_FILE).read_bytes())
    changed = manifest.model_copy(update={"files": checksums(bundle)})
    (bundle / MANIFEST_FILE).write_text(changed.model_dump_json(), encoding="utf-8")
    done = run(MAMMOLENS_MODEL=str(bundle))
    assert done.returncode == 1
    line = complaints(done)[-1]
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
def test_a_setting_that_cannot_be_used_is_named_in_one_line(name: str, value: str) -> None:
    done = run(**{"MAMMOLENS_MODEL": "fake", name: value})
    assert done.returncode == 1
    (line,) = complaints(done)
    assert name.removeprefix("MAMMOLENS_").lower() in line.lower()


@pytest.mark.parametrize(
    ("name", "value"), [("MAMMOLENS_AUDIT_LOG", "audit.jsonl"), ("MAMMOLENS_AUDIT_KEY", "k" * 32)]
)
def test_an_audit_log_without_its_key_and_a_key_without_its_log_stop_the_start(
    name: str, value: str
) -> None:
    done = run(**{"MAMMOLENS_MODEL": "fake", name: value})
    assert done.returncode == 1
    (line,) = complaints(done)
    assert "MAMMOLENS_AUDIT_LOG and MAMMOLENS_AUDIT_KEY" in line
    assert value not in line


def test_a_provider_of_tokens_without_an_audience_stops_the_start_with_one_line() -> None:
    done = run(MAMMOLENS_MODEL="fake", MAMMOLENS_OIDC_ISSUER="https://login.example")
    assert done.returncode == 1
    (line,) = complaints(done)
    assert "MAMMOLENS_OIDC_AUDIENCE" in line


def test_keys_of_a_provider_that_is_not_named_stop_the_start_with_one_line() -> None:
    done = run(MAMMOLENS_MODEL="fake", MAMMOLENS_OIDC_JWKS="https://login.example/keys")
    assert done.returncode == 1
    (line,) = complaints(done)
    assert "MAMMOLENS_OIDC_ISSUER" in line


@pytest.mark.parametrize("variable", ["MAMMOLENS_OIDC_ISSUER", "MAMMOLENS_OIDC_JWKS"])
def test_a_provider_whose_keys_anyone_could_change_on_the_way_stops_the_start(
    variable: str,
) -> None:
    tokens = {
        "MAMMOLENS_OIDC_ISSUER": "https://login.example",
        "MAMMOLENS_OIDC_AUDIENCE": "mammolens",
    }
    done = run(**tokens | {"MAMMOLENS_MODEL": "fake", variable: "http://login.example/keys"})
    assert done.returncode == 1
    (line,) = complaints(done)
    assert "https" in line


def test_a_file_of_keys_that_cannot_be_read_stops_the_start_with_one_line(tmp_path: Path) -> None:
    done = run(MAMMOLENS_MODEL="fake", MAMMOLENS_KEYS=str(tmp_path / "none"))
    assert done.returncode == 1
    (line,) = complaints(done)
    assert "file of keys" in line


def test_an_audit_log_that_cannot_be_written_stops_the_start_with_one_line(tmp_path: Path) -> None:
    path = tmp_path / "none" / "audit.jsonl"
    done = run(MAMMOLENS_MODEL="fake", MAMMOLENS_AUDIT_LOG=str(path), MAMMOLENS_AUDIT_KEY="k" * 32)
    assert done.returncode == 1
    (line,) = complaints(done)
    assert str(path) in line


def test_traces_without_their_packages_stop_the_start_with_one_line_that_names_the_extra() -> None:
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
    (line,) = complaints(done)
    assert "mammolens[tracing]" in line


def test_help_teaches_with_examples() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert "curl -F file=@" in done.stdout


def test_health_says_in_one_line_that_nothing_answers() -> None:
    done = run("health", PORT="1")
    assert done.returncode == 1
    (line,) = complaints(done)
    assert "does not answer" in line
