"""The wheel, installed into an empty environment, as `pip install` leaves it."""

import json
import os
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import httpx
import pytest

import service
from docs.viewers import PAGES
from tests.support.paths import ROOT, SAMPLE, SAMPLE_FOLDER
from tests.support.servers import Running, wait_until_ready

UV = str(ROOT / "requirements" / "uv")


def run(*command: str, cwd: Path) -> str:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree."""
    out = tmp_path_factory.mktemp("dist")
    build = (UV, "build", "--quiet", "--wheel", "--no-build-isolation")
    run(*build, "--python", sys.executable, "--out-dir", str(out), str(ROOT), cwd=ROOT)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of an environment that holds the wheel and its pinned dependencies alone."""
    home = tmp_path_factory.mktemp("environment") / "venv"
    run(UV, "venv", "--quiet", "--python", sys.executable, str(home), cwd=ROOT)
    install = (UV, "pip", "install", "--quiet", "--python", str(home / "bin" / "python"))
    requirements = str(ROOT / "requirements" / "service.txt")
    run(*install, "--require-hashes", "-r", requirements, cwd=ROOT)
    run(*install, "--no-deps", str(wheel), cwd=ROOT)
    return home / "bin" / "mammolens"


def test_wheel_holds_types_demo_and_experiment(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())

    assert {"service/py.typed", "training/py.typed", "training/experiments/demo.toml"} <= names
    assert "service/bundles/demo/1/saved_model.pb" in names
    pages = {f"service/api/pages/{path.relative_to(PAGES)}" for path in PAGES.rglob("*.*")}
    assert pages <= names
    sample = {f"service/bundles/sample-exam/{path.name}" for path in SAMPLE_FOLDER.glob("*.dcm")}
    assert len(sample) == 4
    assert sample <= names
    assert not {name for name in names if name.startswith(("tests/", "benchmarks/"))}


def test_installed_command_names_its_version(installed: Path, tmp_path: Path) -> None:
    assert run(str(installed), "--version", cwd=tmp_path) == f"mammolens {service.__version__}\n"


def test_installed_command_serves_the_demo(installed: Path, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    environment = {**os.environ, "PORT": str(port)}
    with subprocess.Popen([str(installed), "serve"], cwd=tmp_path, env=environment) as process:
        server = Running(f"http://127.0.0.1:{port}", process)
        try:
            wait_until_ready(server)
            described = httpx.get(f"{server.address}/model")
            viewer = httpx.get(f"{server.address}/viewer")
            view = httpx.get(f"{server.address}/viewer/sample/L-CC.dcm")
            answer = httpx.post(f"{server.address}/predict", files={"file": SAMPLE.read_bytes()})
        finally:
            process.terminate()

    assert described.json()["model"]["name"] == "demo"
    assert "Not a medical device" in viewer.text
    assert view.content == (SAMPLE_FOLDER / "L-CC.dcm").read_bytes()
    assert answer.json()["prediction"]["label"] == "cancer"


def test_installed_command_explains_a_file(installed: Path, tmp_path: Path) -> None:
    run(str(installed), "explain", str(SAMPLE), "--out", "explained", cwd=tmp_path)

    document = json.loads((tmp_path / "explained" / "sample.json").read_text("utf-8"))
    overlay = cv2.imread(str(tmp_path / "explained" / "sample-overlay.png"))
    assert document["prediction"]["positive"]
    assert document["model"]["name"] == "demo"
    assert overlay is not None
    assert max(overlay.shape) == 960
