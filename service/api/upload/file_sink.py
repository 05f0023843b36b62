"""The bytes of a file while it is received, in memory and never on a disk."""

from io import BytesIO

from service.errors import UploadTooLarge
from service.runtime.body_memory import HeldBody


class FileSink:
    """Bytes of the file, as far as they have arrived. They count as bytes of `body`."""

    def __init__(self, body: HeldBody, max_bytes: int) -> None:
        self._body = body
        self._max_bytes = max_bytes
        self._bytes = BytesIO()

    def write(self, data: bytes) -> None:
        """Add bytes.

        Raises:
            UploadTooLarge: the file has more than `max_bytes`.
            Busy: there is no room for them.
        """
        size = self._bytes.tell() + len(data)
        if size > self._max_bytes:
            raise UploadTooLarge(self._max_bytes)
        self._body.grow(size)
        self._bytes.write(data)

    def data(self) -> bytes:
        """Return the bytes. They are not copied."""
        return self._bytes.getvalue()
