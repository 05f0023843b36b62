"""GET /viewer: a page to look at an exam; /viewer/model: a page about the model; their sample."""

from typing import Literal

from fastapi import APIRouter, Response

from service.api.negotiation import MediaType
from service.api.page_files import page
from service.api.response_headers import VIEWER_POLICY
from service.api.sample_exam import sample_file

router = APIRouter(include_in_schema=False)
_METHODS = ["GET", "HEAD"]

SampleName = Literal["L-CC.dcm", "L-MLO.dcm", "R-CC.dcm", "R-MLO.dcm"]


@router.api_route("/viewer", methods=_METHODS)
async def show_viewer() -> Response:
    """Return the page that shows an exam."""
    return _as_page("viewer/viewer.html")


@router.api_route("/viewer/model", methods=_METHODS)
async def show_model_page() -> Response:
    """Return the page that shows what is known about the model."""
    return _as_page("viewer/model.html")


@router.api_route("/viewer/sample/{name}", methods=_METHODS)
async def load_sample(name: SampleName) -> Response:
    """Return a file of the sample exam, which are phantoms."""
    return Response(sample_file(name), media_type=MediaType.DICOM)


def _as_page(name: str) -> Response:
    headers = {"Content-Security-Policy": VIEWER_POLICY}
    return Response(page(name), headers=headers, media_type=MediaType.HTML)
