import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import service
from tests.support.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

SERVICE = PROJECT["project"]["dependencies"]
EXTRAS = PROJECT["project"]["optional-dependencies"]
TRAINING = [*SERVICE, *EXTRAS["training"]]
TRAINING_GPU = [*TRAINING, *EXTRAS["training-gpu"]]
IMAGE = [*SERVICE, *EXTRAS["tracing"], *EXTRAS["onnx"]]
DEV = [
    *TRAINING,
    *EXTRAS["tracing"],
    *EXTRAS["onnx"],
    *PROJECT["dependency-groups"]["dev"],
]
BENCH = [*DEV, *PROJECT["dependency-groups"]["bench"]]
SETS = {
    "uv": PROJECT["dependency-groups"]["uv"],
    "service": SERVICE,
    "image": IMAGE,
    "training": TRAINING,
    "training-gpu": TRAINING_GPU,
    "dev": DEV,
    "bench": BENCH,
}


def _entries(name: str) -> list[str]:
    """Return the requirements of a set, each on one line with its hashes."""
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().replace("\\\n", "").splitlines()
    return [line for line in lines if line and not line.lstrip().startswith("#")]


def _pins(name: str) -> set[Requirement]:
    """Return the requirements of a set without their hashes."""
    return {Requirement(entry.partition("--hash")[0]) for entry in _entries(name)}


def _run(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a command without the settings of an outer make."""
    settings = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    return subprocess.run(
        command, cwd=cwd, env=settings, capture_output=True, text=True, check=False
    )


def _make(tree: Path, *arguments: str) -> str:
    """Run make in a directory and return its output."""
    made = _run("make", *arguments, cwd=tree)

    assert made.returncode == 0, made.stderr
    return made.stdout


@pytest.mark.parametrize("name", SETS)
def test_requirements_have_a_version_and_a_hash(name: str) -> None:
    entries = _entries(name)

    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9-]+==\S+ .*--hash=sha256:[0-9a-f]{64}( |$)", entry), entry[:80]


@pytest.mark.parametrize("name", SETS)
def test_pins_match_pyproject(name: str) -> None:
    for declared in map(Requirement, SETS[name]):
        pins = [pin for pin in _pins(name) if pin.name == canonicalize_name(declared.name)]
        versions = [Version(part.version) for pin in pins for part in pin.specifier]

        assert versions, f"{declared.name} is not pinned: run make requirements"
        assert all(version in declared.specifier for version in versions), (
            f"{declared}: run make requirements"
        )


def test_larger_sets_contain_the_smaller_ones() -> None:
    """A package has the same version in every set."""
    versions = {name: {(pin.name, str(pin.specifier)) for pin in _pins(name)} for name in SETS}

    assert versions["service"] <= versions["training"] <= versions["dev"] <= versions["bench"]
    assert versions["training"] <= versions["training-gpu"]


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_gpu_set_resolves_beside_tensorflow_cpu(tmp_path: Path, python: str) -> None:
    """The index is asked, but nothing is downloaded."""
    platform = ("--python-version", python, "--python-platform", "x86_64-unknown-linux-gnu")
    target = ("--dry-run", "--target", str(tmp_path), *platform)
    pins = ("--require-hashes", "-r", "requirements/training-gpu.txt")

    resolved = _run("requirements/uv", "pip", "install", *target, *pins)

    assert resolved.returncode == 0, resolved.stderr
    names = re.findall(r"^ \+ (\S+)==", resolved.stderr, flags=re.MULTILINE)
    assert {"jax", "jax-cuda12-plugin", "nvidia-cudnn-cu12", "tensorflow-cpu"} <= set(names)
    assert "tensorflow" not in names


def test_setup_files_name_no_package_index() -> None:
    places = [
        *ROOT.glob("*"),
        *ROOT.glob("requirements/*"),
        *ROOT.glob(".ci/*"),
        *ROOT.glob(".github/**/*"),
    ]
    for file in places:
        if file.is_file():
            named = re.search(
                r"(index-url|find-links|registry)\S*[ =]+\S*://|pypi\.org/simple",
                file.read_text(errors="ignore"),
            )
            assert named is None, f"{file.name}: {named}"


def test_help_lists_every_target() -> None:
    targets = re.findall(
        r"^\.PHONY: ([\w-]+)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE
    )

    assert {"serve", "test", "help"} <= set(targets)
    assert re.findall(r"^  make ([\w-]+)", _make(ROOT), flags=re.MULTILINE) == targets


@pytest.mark.parametrize(
    ("target", "installed"),
    [("serve", "service"), ("training-gpu", "training-gpu"), ("check", "dev")],
)
def test_requirements_are_installed_only_when_changed(
    tmp_path: Path, target: str, installed: str
) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    stamp = tmp_path / ".venv" / f"{installed}.installed"
    install = f"requirements/install {installed}"

    assert install in _make(tmp_path, "--dry-run", target)

    stamp.parent.mkdir()
    stamp.touch()
    assert install not in _make(tmp_path, "--dry-run", target)

    os.utime(stamp, (0, 0))
    assert install in _make(tmp_path, "--dry-run", target)


def test_interop_provides_programs_and_selects_marked_tests() -> None:
    recipe = _make(ROOT, "--dry-run", "interop").splitlines()

    assert recipe[-4:] == [
        "requirements/outside",
        "requirements/clients/install",
        "requirements/ohif",
        ".venv/bin/python -m pytest -m interop",
    ]
    assert _make(ROOT, "--dry-run", "coverage").splitlines()[-1].endswith(" --cov")


def test_missing_outside_program_fails(tmp_path: Path) -> None:
    """Without apt-get on the path nothing is installed, not even as root."""
    for program in ("bash", "env", "paste"):
        path = shutil.which(program)
        assert path is not None
        (tmp_path / program).symlink_to(path)

    refused = subprocess.run(
        [ROOT / "requirements" / "outside"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert refused.returncode == 1
    assert "missing: dcmj2pnm" in refused.stderr
    assert re.search(r"apt-get install .*\bdcmtk\b", refused.stderr)


def test_installer_accepts_the_supported_pythons() -> None:
    (first, last) = re.findall(r"\((3), (\d+)\)", (ROOT / "requirements" / "install").read_text())

    assert PROJECT["project"]["requires-python"] == f">={'.'.join(first)},<{'.'.join(last)}"


def test_image_label_has_the_version() -> None:
    label = re.search(r'image\.version="(.+?)"', (ROOT / "Dockerfile").read_text())

    assert label is not None
    assert label[1] == service.__version__
