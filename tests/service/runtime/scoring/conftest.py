"""A small archive: two studies, a scan without a header, and files that cannot be used."""

from pathlib import Path

import pytest

from tests.support.exam_files import STANDARD_VIEWS, exam_file


@pytest.fixture(scope="session")
def archive(mammogram_png: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with an exam of four views, one of two views, a PNG file and two refused files."""
    root = tmp_path_factory.mktemp("archive")
    for patient, views in ((1, STANDARD_VIEWS), (2, STANDARD_VIEWS[:2])):
        folder = root / f"patient-{patient}"
        folder.mkdir()
        for side, view in views:
            (folder / f"{side}{view}").write_bytes(exam_file(side, view, patient))

    (root / "scans").mkdir()
    (root / "scans" / "a_L_CC.png").write_bytes(mammogram_png)
    (root / "scans" / "b_R_CC.png").write_bytes(b"no image")
    (root / "patient-2" / "cut.dcm").write_bytes(exam_file("R", "CC", 2)[:2000])
    (root / "patient-2" / "notes.txt").write_text("not an image")
    (root / "DICOMDIR").write_bytes(b"")
    return root
