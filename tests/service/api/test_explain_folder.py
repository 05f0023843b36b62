"""Which files of a folder are the images of an exam, and the names of their results."""

from pathlib import Path

from service.api.explain_folder import list_folder, name_images

DICOM = bytes(128) + b"DICM"


def test_images_are_told_by_content_or_name(tmp_path: Path) -> None:
    for name in ("b.PNG", "a.dcm", "c.jpeg", "d.tif"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "IM0001").write_bytes(DICOM)
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "e.dcm").write_bytes(b"")

    images = list_folder(tmp_path, tmp_path / "out").images

    assert [path.name for path in images] == [
        "IM0001",
        "a.dcm",
        "b.PNG",
        "e.dcm",
        "c.jpeg",
        "d.tif",
    ]


def test_other_files_are_skipped(tmp_path: Path) -> None:
    (tmp_path / "DICOMDIR").write_bytes(DICOM)
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "empty").write_bytes(b"")

    folder = list_folder(tmp_path, tmp_path / "out")

    assert folder.images == ()
    assert [path.name for path in folder.skipped] == ["DICOMDIR", "empty", "notes.txt"]


def test_hidden_files_and_results_are_left_out(tmp_path: Path) -> None:
    for name in ("a.dcm", ".b.dcm", "out/L-CC-sc.dcm", ".trash/c.dcm"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(DICOM)

    folder = list_folder(tmp_path, tmp_path / "out")

    assert [path.name for path in folder.images] == ["a.dcm"]
    assert folder.skipped == ()


def test_results_are_named_by_view_or_number() -> None:
    views = ["L-CC", None, "R-MLO", "L-CC", "L-CC", None]

    assert name_images(views) == ["L-CC", "image-2", "R-MLO", "L-CC-4", "L-CC-5", "image-6"]
