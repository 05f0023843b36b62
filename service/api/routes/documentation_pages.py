"""GET /docs and /redoc: the OpenAPI document to read and to try; /assets: the files they load.

Everything comes from the wheel, so the pages work without internet.
"""

from typing import Annotated

from fastapi import APIRouter, Header, Response

from service.api.negotiation import MediaType
from service.api.page_files import FAVICON, files_by_name, files_by_path, page
from service.api.problems.http_errors import RouteNotFound
from service.api.response_headers import KEPT_FOR_GOOD, REDOC_POLICY, SWAGGER_POLICY

router = APIRouter(include_in_schema=False)
_METHODS = ["GET", "HEAD"]


@router.api_route("/docs", methods=_METHODS)
async def show_swagger_ui() -> Response:
    """Return the page that shows the OpenAPI document and sends requests."""
    return _as_page(page("docs.html"), SWAGGER_POLICY)


@router.api_route("/redoc", methods=_METHODS)
async def show_redoc() -> Response:
    """Return the page that shows the OpenAPI document as a reference."""
    return _as_page(page("redoc.html"), REDOC_POLICY)


@router.api_route("/favicon.ico", methods=_METHODS)
async def show_favicon() -> Response:
    """Return the icon, for which browsers ask here if a page names none."""
    icon = files_by_name()[FAVICON]
    return Response(icon.content, media_type=icon.media_type)


@router.api_route("/assets/{digest}/{name}", methods=_METHODS)
async def load_page_file(
    digest: str, name: str, accept_encoding: Annotated[str, Header()] = ""
) -> Response:
    """Return a file that a page loads, as gzip for clients that take it."""
    file = files_by_path().get(f"{digest}/{name}")
    if file is None:
        raise RouteNotFound("No page loads such a file.")

    headers = {"Cache-Control": KEPT_FOR_GOOD, "Vary": "Accept-Encoding"}
    codings = {coding.strip() for coding in accept_encoding.split(",")}
    if "gzip" not in codings:
        return Response(file.content, headers=headers, media_type=file.media_type)

    packed = headers | {"Content-Encoding": "gzip"}
    return Response(file.packed, headers=packed, media_type=file.media_type)


def _as_page(html: str, policy: str) -> Response:
    headers = {"Content-Security-Policy": policy}
    return Response(html, headers=headers, media_type=MediaType.HTML)
