from pathlib import Path

import pytest
from packaging.requirements import Requirement

from benchmarks.load.peers.starts import PEERS
from benchmarks.load.servers import ROOT

WORK = ("imagecodecs", "numpy", "opencv-python-headless", "pydicom", "tensorflow-cpu")


def pins(file: Path) -> set[Requirement]:
    lines = file.read_text().replace("\\\n", "").splitlines()
    return {
        Requirement(line.partition("--hash")[0])
        for line in lines
        if line and not line.lstrip().startswith("#")
    }


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_does_the_work_with_the_versions_of_the_service(name: str) -> None:
    ours = {each for each in pins(ROOT / "requirements" / "service.txt") if each.name in WORK}

    assert {each.name for each in ours} == set(WORK)
    assert ours <= pins(ROOT / "requirements" / "peers" / f"{name}.txt")


@pytest.mark.parametrize("name", PEERS)
def test_no_requirement_of_a_peer_names_a_package_index(name: str) -> None:
    for file in (ROOT / "requirements" / "peers").glob(f"{name}.*"):
        assert "--index" not in file.read_text()
        assert "://" not in file.read_text()
