"""An exam's way into an archive: one curl asks the service, another stores its answer."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from tests.support.orthanc import USER, Archive
from tests.support.paths import ROOT

SAMPLE_EXAM = tuple(sorted((ROOT / "docs" / "sample-exam").glob("*.dcm")))
"""Four views of one exam, each in a series of its own, with a cancer in the right breast."""

_PIPE = """
curl --silent --show-error --fail-with-body --header "X-Request-ID: $REQUEST_ID" "$@" |
  tee "$COPY" |
  curl --silent --show-error --fail --user "$USER_AND_PASSWORD" --data-binary @- \\
    --header 'Content-Type: multipart/related; type="application/dicom"; boundary=mammolens' \\
    --header 'Accept: application/dicom+json' "$DICOMWEB/studies"
"""
"""The body is stored as it comes, and a copy of it is kept for comparison."""


def explain_into(
    archive: Archive,
    server: str,
    files: Sequence[Path],
    copy: Path,
    *,
    query: str = "",
    request_id: str = "interop",
) -> list[Dataset]:
    """Ask the service for the objects of an exam and store them. Return them as they were sent."""
    assert shutil.which("curl"), "curl is missing: run requirements/outside"

    forms = [argument for file in files for argument in ("--form", f"file=@{file}")]
    environment = {
        **os.environ,
        "REQUEST_ID": request_id,
        "COPY": str(copy),
        "USER_AND_PASSWORD": f"{USER}:{archive.password}",
        "DICOMWEB": archive.dicomweb,
    }
    done = subprocess.run(
        ["/bin/bash", "-o", "pipefail", "-c", _PIPE, "bash", *forms, f"{server}/exam/dicom{query}"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )

    assert done.returncode == 0, (done.stderr, done.stdout, copy.read_bytes()[:2000])
    return [dcmread(BytesIO(content)) for content in parts_of(copy.read_bytes())]


def parts_of(body: bytes) -> list[bytes]:
    """Return the contents of the parts of a body with several objects."""
    before, *parts, end = body.split(b"--mammolens")
    assert before == b""
    assert end == b"--\r\n"

    contents = []
    for part in parts:
        head, separator, content = part.partition(b"\r\n\r\n")
        assert head == b"\r\nContent-Type: application/dicom"
        assert separator
        contents.append(content.removesuffix(b"\r\n"))
    return contents


def as_exam_of(files: Sequence[Path], folder: Path, **elements: object) -> list[Path]:
    """Write copies of the files as another exam, with these values by keyword."""
    study = generate_uid()
    copies = []
    for file in files:
        dataset = dcmread(file)
        dataset.StudyInstanceUID = study
        dataset.SeriesInstanceUID = generate_uid()
        dataset.SOPInstanceUID = generate_uid()
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        for keyword, value in elements.items():
            setattr(dataset, keyword, value)

        copies.append(folder / file.name)
        dataset.save_as(copies[-1], enforce_file_format=True)
    return copies
