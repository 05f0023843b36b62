"""The bytes of files while they are received, in memory and never on a disk."""

from io import BytesIO

from service.api.upload.upload_bounds import UploadBounds
from service.runtime.body_memory import HeldBody


class FileSink:
    """Bytes of the files in one body, as far as they have arrived. They count as bytes of `body`.

    One file comes after the other.
    """

    def __init__(self, body: HeldBody, bounds: UploadBounds) -> None:
        self._body = body
        self._bounds = bounds
        self._files: list[BytesIO] = []
        self._earlier_bytes = 0

    def begin(self) -> None:
        """Begin the next file.

        Raises:
            MalformedUpload, TooManyImages: there are too many.
        """
        self._bounds.check_count(len(self._files) + 1)
        if self._files:
            self._earlier_bytes += self._files[-1].tell()
        self._files.append(BytesIO())

    def write(self, data: bytes) -> None:
        """Add bytes to the file.

        Raises:
            UploadTooLarge, ExamTooLarge: there are too many.
            Busy: there is no room for them.
        """
        file = self._files[-1]
        size = file.tell() + len(data)
        total = self._earlier_bytes + size
        self._bounds.check_size(size, total)
        self._body.grow(total)
        file.write(data)

    def files(self) -> list[bytes]:
        """Return the bytes of each file. They are not copied."""
        return [file.getvalue() for file in self._files]
