"""Files of a folder that count as images, for the command line and archives."""

from collections.abc import Callable
from pathlib import PurePath

from service.imaging.dicom.opening import has_prefix

_SUFFIXES = {".dcm", ".dicom", ".jpeg", ".jpg", ".png", ".tif", ".tiff"}
_DIRECTORY = "DICOMDIR"
_HEAD_BYTES = 132  # up to the prefix of a DICOM file


def counts_as_image(path: PurePath, read_head: Callable[[int], bytes]) -> bool:
    """Return whether the file is a DICOM file or is named as an image, and no DICOMDIR.

    `read_head`: returns so many bytes from its beginning. It is called only if the name leaves it
    open.
    """
    if path.name.upper() == _DIRECTORY:
        return False
    return path.suffix.lower() in _SUFFIXES or has_prefix(read_head(_HEAD_BYTES))
