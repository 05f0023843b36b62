"""The files in a multipart body: a form with its fields, or the body of a DICOMweb client."""

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from service.api.upload.body_types import UNNAMED, BodyShape
from service.api.upload.file_sink import FileSink
from service.errors import MalformedUpload, MissingFile
from service.records import NamedFacts

MAX_PARTS = 64
"""Parts that a body may have: one for each file, and in a form two for the fields of an image."""
MAX_FIELD_BYTES = 64
"""Bytes of a field that are kept. No allowed value is as long."""


class MultipartFiles:
    """Parser of a multipart body (RFC 2046, section 5.1). Files and fields of its shape are kept.

    The files of a form are its parts with the names of the shape, with or without a file name. The
    files of a multipart/related body are its parts.
    """

    def __init__(
        self, content_type: str, sink: FileSink, shape: BodyShape, *, is_form: bool
    ) -> None:
        self._sink = sink
        self._shape = shape
        self._is_form = is_form
        self._is_started = False
        self._parts = 0
        self._named: list[NamedFacts] = []
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
        """Return a parser that is inside of a part that counts for nothing.

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
                "on_headers_finished": self._end_headers,
                "on_part_data": self._add_data,
                "on_end": self._end,
            },
        )
        parser.write(b"--%b\r\n\r\n\r\n" % boundary)

        # The first part of the body is the next one.
        self._is_started = True
        return parser

    def feed(self, chunk: bytes) -> None:
        """Parse the next chunk.

        Raises:
            MalformedUpload: it cannot be parsed, has too many parts, or one that no form has.
            TooManyImages, UploadTooLarge, ExamTooLarge, Busy: the files are too many or too large.
        """
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise MalformedUpload("The multipart body cannot be parsed.") from error

    def finish(self) -> None:
        """Raise MalformedUpload or MissingFile if the body is not complete."""
        if not self._complete:
            raise MalformedUpload("The multipart body ends before its closing boundary.")
        if not self._named:
            raise MissingFile(
                "The form has no part named 'file'." if self._is_form else "The body has no part."
            )

    def named(self) -> list[NamedFacts]:
        """Return the side and the view that the part of each file names."""
        return self._named

    def fields(self) -> list[tuple[str, str]]:
        """Return the fields of the form, in their order. Long values are cut."""
        return [(name, value.decode("ascii", "replace")) for name, value in self._fields]

    def _begin_part(self) -> None:
        self._in_file = False
        self._in_field = False
        if not self._is_started:
            return

        self._parts += 1
        if self._parts > MAX_PARTS:
            raise MalformedUpload(f"The multipart body has more than {MAX_PARTS} parts.")
        if not self._is_form:
            self._begin_file(UNNAMED)

    def _begin_file(self, named: NamedFacts) -> None:
        self._sink.begin()
        self._in_file = True
        self._named.append(named)

    def _add_to_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_to_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._is_form and self._header.lower() == b"content-disposition":
            _, options = parse_options_header(self._value)
            name = options.get(b"name", b"").decode("latin-1")
            if name in self._shape.files:
                self._begin_file(self._shape.files[name])
            elif name in self._shape.fields:
                self._in_field = True
                self._fields.append((name, bytearray()))
        self._header = b""
        self._value = b""

    def _end_headers(self) -> None:
        is_kept = self._in_file or self._in_field or not self._is_started
        if not is_kept and self._shape.stray_part is not None:
            raise MalformedUpload(self._shape.stray_part)

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._sink.write(data[start:end])
        elif self._in_field:
            value = self._fields[-1][1]
            value += data[start : min(end, start + MAX_FIELD_BYTES - len(value))]

    def _end(self) -> None:
        self._complete = True
