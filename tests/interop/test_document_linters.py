"""Linters of OpenAPI documents find nothing in that of the service."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.client_generators import DOCUMENT
from tests.support.paths import ROOT

pytestmark = pytest.mark.interop

BIN = ROOT / "build" / "clients" / "node_modules" / ".bin"


def lint(folder: Path, program: str, *options: str) -> Any:
    """Return the report of a linter, which is run in a folder that holds its configuration."""
    assert BIN.is_dir(), "npm packages are missing: run requirements/clients/install"

    done = subprocess.run(
        [BIN / program, "lint", DOCUMENT, "--format", "json", *options],
        cwd=folder,
        env=os.environ | {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout, done.stderr
    return json.JSONDecoder().raw_decode(done.stdout)[0]


def test_redocly_finds_nothing(tmp_path: Path) -> None:
    report = lint(tmp_path, "redocly")

    assert report["problems"] == []


def test_spectral_finds_nothing(tmp_path: Path) -> None:
    (tmp_path / ".spectral.yaml").write_text("extends: spectral:oas\n", "utf-8")

    assert lint(tmp_path, "spectral") == []
