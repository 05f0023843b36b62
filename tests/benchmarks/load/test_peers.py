from pathlib import Path

import pytest
from packaging.requirements import Requirement

from benchmarks.load.peers.starts import PEERS
from benchmarks.load.servers import ROOT

WORK_PACKAGES = ("imagecodecs", "numpy", "opencv-python-headless", "pydicom", "tensorflow-cpu")


def pins(file: Path) -> set[Requirement]:
    """Return the pinned requirements of a file, without their hashes."""
    lines = file.read_text().replace("\\\n", "").splitlines()

    return {
        Requirement(line.partition("--hash")[0])
        for line in lines
        if line and not line.lstrip().startswith("#")
    }


@pytest.mark.parametrize("name", [*PEERS, "engines"])
def test_peer_pins_versions_of_the_service(name: str) -> None:
    """The packages that decode, fit and predict have the same versions everywhere."""
    service = pins(ROOT / "requirements" / "service.txt")
    shared = {requirement for requirement in service if requirement.name in WORK_PACKAGES}

    assert {requirement.name for requirement in shared} == set(WORK_PACKAGES)
    assert shared <= pins(ROOT / "requirements" / "peers" / f"{name}.txt")


@pytest.mark.parametrize("name", [*PEERS, "engines"])
def test_peer_requirements_name_no_package_index(name: str) -> None:
    for file in (ROOT / "requirements" / "peers").glob(f"{name}.*"):
        text = file.read_text()

        assert "--index" not in text
        assert "://" not in text
