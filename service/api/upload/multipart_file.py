"""The one file in a multipart body: a form with its fields, or the body of a DICOMweb client."""

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from service.api.options import FORM_FIELDS
from service.api.upload.file_sink import FileSink
from service.errors import MalformedUpload, MissingFile

MAX_PARTS = 64
"""Parts that a body may have. A form of this service needs one, and has two fields beside it."""
MAX_FIELD_BYTES = 64
"""Bytes of a field that are kept. No allowed value is as long."""


class MultipartFile:
    """Parser of a multipart body (RFC 2046, section 5.1). The file and FORM_FIELDS are kept.

    The file of a form is its part named `file`, with or without a file name. The file of a
    multipart/related body is its only part.
    """

    def __init__(self, content_type: str, sink: FileSink, *, is_form: bool) -> None:
        self._sink = sink
        self._is_form = is_form
        self._parts = 0
        self._files = 0
        self._in_file = False
        self._fields: list[tuple[str, bytearray]] = []
        self._in_field = False
        self._complete = False
        self._header = b""
        self._value = b""

        boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
        try:
            self._parser = self._start(boundary)
        except FormParserError as error:
            message = "The content type of the multipart body names no usable boundary."
            raise MalformedUpload(message) from error

    def _start(self, boundary: bytes) -> MultipartParser:
        """Return a parser that is inside of a part of which nothing is kept.

        The text before the first boundary of the body becomes data of this part. The parser would
        not skip it, nor the blanks after the first boundary.
        """
        if not boundary:
            raise FormParserError
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._add_to_header,
                "on_header_value": self._add_to_value,
                "on_header_end": self._end_header,
                "on_part_data": self._add_data,
                "on_end": self._end,
            },
        )
        parser.write(b"--%b\r\n\r\n\r\n" % boundary)

        # The first part of the body is the next one.
        self._parts = 0
        self._files = 0
        self._in_file = False
        return parser

    def feed(self, chunk: bytes) -> None:
        """Parse the next chunk.

        Raises:
            MalformedUpload: it cannot be parsed, or has too many parts or files.
            UploadTooLarge, Busy: the file has too many bytes.
        """
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise MalformedUpload("The multipart body cannot be parsed.") from error

    def finish(self) -> None:
        """Raise MalformedUpload or MissingFile if the body is not complete."""
        if not self._complete:
            raise MalformedUpload("The multipart body ends before its closing boundary.")
        if not self._files:
            raise MissingFile(
                "The form has no part named 'file'." if self._is_form else "The body has no part."
            )

    def fields(self) -> list[tuple[str, str]]:
        """Return the fields of the form, in their order. Long values are cut."""
        return [(name, value.decode("ascii", "replace")) for name, value in self._fields]

    def _begin_part(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise MalformedUpload(f"The multipart body has more than {MAX_PARTS} parts.")

        self._in_file = False
        self._in_field = False
        if not self._is_form:
            self._begin_file()

    def _begin_file(self) -> None:
        self._in_file = True
        self._files += 1
        if self._files > 1:
            raise MalformedUpload("The body contains more than one file. Send one in a request.")

    def _add_to_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_to_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._is_form and self._header.lower() == b"content-disposition":
            _, options = parse_options_header(self._value)
            name = options.get(b"name", b"").decode("latin-1")
            if name == "file":
                self._begin_file()
            elif name in FORM_FIELDS:
                self._in_field = True
                self._fields.append((name, bytearray()))
        self._header = b""
        self._value = b""

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._sink.write(data[start:end])
        elif self._in_field:
            value = self._fields[-1][1]
            value += data[start : min(end, start + MAX_FIELD_BYTES - len(value))]

    def _end(self) -> None:
        self._complete = True
