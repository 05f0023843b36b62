"""Parser of HTTP/1.1 requests: httptools, with bounded heads and without upgrades."""

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.api.problems.http_errors import HeadTooLarge, MalformedRequest
from service.errors import RequestError

MAX_HEAD_BYTES = 32 * 1024
"""Bytes of the request line, the headers and the trailers together."""

MAX_HEADERS = 100
"""Number of the headers and the trailers together."""

SEGMENT_BYTES = 8 * 1024
"""Bytes parsed at once where requests may begin, so that few of them begin at once."""

BODY_SEGMENT_BYTES = 32 * 1024
"""Bytes parsed at once in a chunked body, whose end is not known."""

MAX_FRAGMENTS = 64
"""Chunks of a body in one segment, beyond which other connections have their turn."""

_LINE_BYTES = 4  # colon, blank, CR and LF


class RequestParser:
    """Parser of the requests of one connection.

    uvicorn takes it for httptools' own parser. It never raises: `refusal` is the error of the
    first bytes that are refused, and nothing is parsed after them. `is_in_body`: a head is
    complete, and its body is not. `is_costly`: the last bytes had very many chunks.

    The names of the methods that begin with `on_` are those that httptools calls.
    """

    def __init__(self, receiver: HttpToolsProtocol) -> None:
        self.refusal: RequestError | None = None
        self.is_in_body = False
        self.is_costly = False

        self._receiver = receiver
        self._fragments: list[bytes] = []
        self.on_body = self._fragments.append
        self._parser = self._new_parser()

        self._has_begun = False
        self._remaining = 0
        self._head_bytes = 0
        self._header_count = 0
        self._fruitless_bytes = 0

    @property
    def is_in_head(self) -> bool:
        """Whether bytes before the end of a head have arrived."""
        return self._has_begun or (self._fruitless_bytes > 0 and not self.is_in_body)

    @property
    def next_bytes(self) -> int:
        """Number of bytes to feed at once: the rest of a body of known length, or a segment."""
        is_cheap_body = self.is_in_body and not self.is_costly
        return max(self._remaining, BODY_SEGMENT_BYTES if is_cheap_body else SEGMENT_BYTES)

    def get_method(self) -> bytes:
        """Return the method of the request."""
        return self._parser.get_method()

    def get_http_version(self) -> str:
        """Return the version of HTTP of the request."""
        return self._parser.get_http_version()

    def should_keep_alive(self) -> bool:
        """Return whether the client keeps the connection open after the answer."""
        return self._parser.should_keep_alive()

    def should_upgrade(self) -> bool:
        """Return False: every offer of an upgrade is ignored."""
        return False

    def feed_data(self, data: memoryview) -> None:
        """Parse the next bytes."""
        self._fruitless_bytes += len(data)
        self.is_costly = False
        try:
            self._feed(data)
            self._hand_over_body()
        except httptools.HttpParserError:
            self.refusal = self.refusal or MalformedRequest("Invalid HTTP request received.")
            return

        # A long line calls nothing back before its end.
        if self._fruitless_bytes > MAX_HEAD_BYTES:
            self.refusal = HeadTooLarge()

    def on_message_begin(self) -> None:
        """Begin a head."""
        self._has_begun = True
        self._head_bytes = 0
        self._header_count = 0
        self._receiver.on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take the next part of the URL."""
        self._count_head(len(url))
        self._receiver.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header. A trailer is dropped: the application has read the headers already."""
        self._header_count += 1
        self._count_head(len(name) + len(value) + _LINE_BYTES)
        if not self.is_in_body:
            self._receiver.on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin the body. A head that offers an upgrade is parsed again before."""
        if self._parser.should_upgrade():
            return

        self._check_head()
        self._has_begun = False
        self._fruitless_bytes = 0
        self._receiver.on_headers_complete()
        self.is_in_body = True

    def on_message_complete(self) -> None:
        """End the body. After the offer of an upgrade httptools ends it too early."""
        if self._parser.should_upgrade():
            return

        self._hand_over_body()
        self._fruitless_bytes = 0
        self.is_in_body = False
        self._receiver.on_message_complete()

    def _new_parser(self) -> httptools.HttpRequestParser:
        parser = httptools.HttpRequestParser(self)
        # As uvicorn sets it: bytes after a last request are no error.
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser

    def _feed(self, data: memoryview) -> None:
        """Feed httptools.

        A request that offers an upgrade (RFC 9110, section 7.8) is parsed as an ordinary one.
        httptools stops at the end of such a head, before the body, and would take the body for the
        next request. So a new parser gets the same head without the offer.
        """
        rest = data
        while rest:
            try:
                self._parser.feed_data(rest)
            except httptools.HttpParserUpgrade as stopped:
                rest = rest[stopped.args[0] :]
            else:
                return

            if self.get_method() == b"CONNECT":
                raise httptools.HttpParserInvalidMethodError("CONNECT")
            head = self._head_without_upgrade()
            self._parser = self._new_parser()
            self._parser.feed_data(head)

    def _head_without_upgrade(self) -> bytes:
        """Return the head that was just parsed, without the offer of an upgrade."""
        version = self.get_http_version().encode("ascii")
        lines = [b"%b %b HTTP/%b" % (self.get_method(), self._receiver.url, version)]
        for name, value in self._receiver.headers:
            if name == b"connection":
                options = [option.strip() for option in value.split(b",")]
                kept = b", ".join(option for option in options if option.lower() != b"upgrade")
                lines.append(b"connection: %b" % kept)
            elif name != b"upgrade":
                lines.append(b"%b: %b" % (name, value))
        return b"\r\n".join([*lines, b"", b""])

    def _check_head(self) -> None:
        """Refuse what httptools accepts and RFC 9112 does not (sections 2.3, 3.2 and 6.1)."""
        version = self.get_http_version()
        if version not in ("1.0", "1.1"):
            self._refuse(MalformedRequest("The service speaks HTTP/1.0 and HTTP/1.1."))

        hosts = 0
        self._remaining = 0
        for name, value in self._receiver.headers:
            if name == b"host":
                hosts += 1
            elif name == b"transfer-encoding" and value.strip().lower() != b"chunked":
                self._refuse(MalformedRequest("The one transfer coding is chunked."))
            elif name == b"content-length":
                self._remaining = int(value)
        if hosts != 1 and (version == "1.1" or hosts):
            self._refuse(MalformedRequest("The request needs one Host header."))

    def _count_head(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD_BYTES or self._header_count > MAX_HEADERS:
            self._refuse(HeadTooLarge())

    def _hand_over_body(self) -> None:
        """Pass on the bytes of the body as one: a chunked body may come in millions of parts."""
        if self._fragments:
            body = b"".join(self._fragments)
            self.is_costly |= len(self._fragments) > MAX_FRAGMENTS
            self._fragments.clear()
            self._fruitless_bytes = 0
            self._remaining = max(0, self._remaining - len(body))
            self._receiver.on_body(body)

    def _refuse(self, error: RequestError) -> None:
        """End parsing with this error."""
        self.refusal = error
        raise httptools.HttpParserError(error.slug)
