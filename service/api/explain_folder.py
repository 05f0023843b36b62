"""Files of an exam's folder: those that count as images, and those that do not."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from service.imaging.image_files import counts_as_image


@dataclass(frozen=True, slots=True)
class ExamFolder:
    """The files in a folder. `skipped`: those that are no images, apart from hidden ones."""

    images: tuple[Path, ...]
    skipped: tuple[Path, ...]


def list_folder(folder: Path, out: Path) -> ExamFolder:
    """Return the files in the folder and below it, in the order of their paths.

    DICOM files are images, whatever their names, and so are files named as an image. `out`: where
    results go, which may be below the folder. It is left out, and so are hidden files.

    Raises:
        OSError: a file or a folder cannot be read.
    """
    files = [path for path in sorted(folder.rglob("*")) if _counts(path, folder, out)]
    images = tuple(path for path in files if is_image(path))
    return ExamFolder(images, tuple(path for path in files if path not in images))


def is_image(path: Path) -> bool:
    """Return whether the file is a DICOM file or is named as an image, and no DICOMDIR."""

    def read_head(size: int) -> bytes:
        with path.open("rb") as file:
            return file.read(size)

    return counts_as_image(path, read_head)


def name_images(views: Iterable[str | None]) -> list[str]:
    """Return a name for the results of each image: its side and view, or its number from 1.

    `views`: such as L-CC, None where side or view is unknown. Further images of a view have a
    number, too.
    """
    names: list[str] = []
    for number, view in enumerate(views, 1):
        name = view or f"image-{number}"
        names.append(f"{name}-{number}" if name in names else name)
    return names


def _counts(path: Path, folder: Path, out: Path) -> bool:
    """Return whether the path is a file that is neither hidden nor a result."""
    is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.is_file() and not is_hidden and out.resolve() not in path.resolve().parents
