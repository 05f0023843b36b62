"""Content codings of a body (RFC 9110, section 8.4): none, or gzip."""

import zlib
from collections.abc import Iterator

from service.errors import MalformedUpload, UnsupportedCoding

_GZIP = {"gzip", "x-gzip"}
_NAMED = {"br", "compress", "dcb", "dcz", "deflate", "exi", "x-compress", "zstd"}
"""Codings that an error names. Any other text from the client is not repeated."""
_STEP_BYTES = 256 * 1024
_GZIP_HEADER = 16  # added to the window size: see zlib.decompressobj


def is_gzip(content_encoding: str) -> bool:
    """Return whether a header Content-Encoding names gzip, and False if it names no coding.

    Raises:
        UnsupportedCoding: it names another coding, or several.
    """
    names = [name.strip().lower() for name in content_encoding.split(",")]
    codings = [name for name in names if name not in {"", "identity"}]
    if not codings:
        return False
    if len(codings) == 1 and codings[0] in _GZIP:
        return True

    refused = next((name for name in codings if name in _NAMED), None)
    raise UnsupportedCoding(refused)


class GzipDecoder:
    """Decoder of a gzip body that arrives in chunks.

    It yields small pieces, so that a bomb is stopped by the bounds on what it unpacks to.
    """

    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(zlib.MAX_WBITS | _GZIP_HEADER)

    def decode(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the bytes of a chunk in pieces of at most 256 KiB.

        Raises:
            MalformedUpload: the chunk is not gzip, or goes on after the end of its one member.
        """
        rest = chunk
        while True:
            piece = self._inflate(rest)
            rest = self._inflater.unconsumed_tail
            if piece:
                yield piece
            if self._inflater.unused_data:
                raise MalformedUpload("The gzip body goes on after its end.")
            if not rest and len(piece) < _STEP_BYTES:
                return

    def finish(self) -> None:
        """Raise MalformedUpload if the body is not complete."""
        if not self._inflater.eof:
            raise MalformedUpload("The gzip body ends early.")

    def _inflate(self, data: bytes) -> bytes:
        if self._inflater.eof and data:
            raise MalformedUpload("The gzip body goes on after its end.")
        try:
            return self._inflater.decompress(data, _STEP_BYTES)
        except zlib.error as error:
            raise MalformedUpload("The gzip body is damaged.") from error
