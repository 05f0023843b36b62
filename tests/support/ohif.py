"""OHIF on this machine: its pages from build/ohif and an archive's DICOMweb, at one address."""

import http.client
import json
import mimetypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.support.orthanc import Archive
from tests.support.paths import ROOT

PAGES = ROOT / "build" / "ohif"

ISOLATION = {
    # Without these two a page may not share memory with its workers, as OHIF does.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}
TYPES = {".js": "text/javascript", ".wasm": "application/wasm"}

CONFIGURATION = {
    "name": "tests",
    "routerBasename": "/",
    "extensions": [],
    "modes": [],
    "showStudyList": True,
    "maxNumberOfWebWorkers": 2,
    "investigationalUseDialog": {"option": "never"},
    "customizationService": [{"ohif.tours": {"$set": []}}],  # a tour would cover the images
    "defaultDataSourceName": "archive",
    "dataSources": [
        {
            "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
            "sourceName": "archive",
            "configuration": {
                "friendlyName": "Orthanc",
                "name": "archive",
                "qidoRoot": "/dicom-web",
                "wadoRoot": "/dicom-web",
                "wadoUriRoot": "/wado",
                "imageRendering": "wadors",
                "thumbnailRendering": "wadors",
                "enableStudyLazyLoad": True,
                "omitQuotationForMultipartRequest": True,
                "bulkDataURI": {"enabled": True, "relativeResolution": "studies"},
            },
        }
    ],
}


@contextmanager
def viewing(archive: Archive) -> Iterator[str]:
    """Serve OHIF before the archive. Give its address."""
    assert (PAGES / "installed").is_file(), "OHIF is missing: run requirements/ohif"

    class Handler(_Handler):
        behind = archive

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, name="ohif")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Answer with a file of OHIF, or with the answer of the archive."""

    protocol_version = "HTTP/1.1"
    behind: Archive

    def do_GET(self) -> None:
        """Answer a page, a file of it, or a request to the archive."""
        path = urlsplit(self.path).path
        file = (PAGES / path.lstrip("/")).resolve()

        if path.startswith("/dicom-web/"):
            self._ask_archive()
        elif path == "/app-config.js":
            script = f"window.config = {json.dumps(CONFIGURATION)};"
            self._answer(HTTPStatus.OK, script.encode(), TYPES[".js"])
        elif file.is_file() and file.is_relative_to(PAGES):
            kind = TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0]
            self._answer(HTTPStatus.OK, file.read_bytes(), kind or "application/octet-stream")
        else:  # a route of the page, such as /viewer
            self._answer(HTTPStatus.OK, (PAGES / "index.html").read_bytes(), "text/html")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base names it
        """Log nothing."""

    def _ask_archive(self) -> None:
        connection = http.client.HTTPConnection(urlsplit(self.behind.address).netloc, timeout=60)
        headers = {
            "Accept": self.headers.get("Accept", "*/*"),
            "Authorization": self.behind.authorization,
            "Host": self.headers["Host"],  # the archive puts it into its answers
        }
        connection.request("GET", self.path, headers=headers)
        answer = connection.getresponse()
        kind = answer.getheader("Content-Type", "application/octet-stream")
        self._answer(answer.status, answer.read(), kind)
        connection.close()

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        for name, value in ISOLATION.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
