"""Types and shapes of bodies that carry images, and their declarations in OpenAPI."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from service.api.options import FORM_FIELDS
from service.records import Laterality, NamedFacts, View

MULTIPART = "multipart/form-data"
RELATED = "multipart/related"
DICOM = "application/dicom"
RAW = (DICOM, "image/png", "image/jpeg", "image/tiff", "application/octet-stream")


@dataclass(frozen=True, slots=True)
class BodyShape:
    """Bodies that a route takes: their types, and the parts of a form.

    `raw`: types of a body that is one file, an empty one for a body that names no type. `files`:
    the names of the parts that are files, with the side and the view that each name tells; none if
    no form is taken. `fields`: the names of the parts that are fields. `stray_part`: the fault of a
    form with any other part, None if such a part is ignored.
    """

    raw: Sequence[str]
    files: Mapping[str, NamedFacts]
    fields: Collection[str] = ()
    stray_part: str | None = None

    @property
    def available(self) -> tuple[str, ...]:
        """Types of bodies, as an error lists them."""
        named = tuple(filter(None, self.raw))
        return (MULTIPART, *named, f'{RELATED}; type="{DICOM}"') if self.files else named


UNNAMED = NamedFacts()
"""Facts of a file whose part names neither side nor view."""
_FILE = {"file": UNNAMED}
_BY_NAME = {
    f"{side}-{view}": NamedFacts(side, view) for side in get_args(Laterality) for view in View
}
ONE_IMAGE = BodyShape(RAW, _FILE, FORM_FIELDS)
EXAM = BodyShape(
    (),
    _FILE | _BY_NAME,
    stray_part="A part of the form is named neither 'file' nor by side and view, such as 'L-CC'.",
)
"""A form with a part of another name is refused: that file would be missing silently."""

_BINARY = {"type": "string", "format": "binary"}
_FORM = {
    "type": "object",
    "title": "Upload",
    "required": ["file"],
    "properties": {"file": _BINARY | {"description": "The mammogram: DICOM, PNG, JPEG or TIFF."}},
}
BODY = {
    "requestBody": {
        "required": True,
        "description": (
            "One mammogram, as a form, as the raw file, or as `multipart/related; "
            'type="application/dicom"` with one part, as DICOMweb clients send it. Its format is '
            "detected from its bytes, not from its name or type. The body may have the "
            "Content-Encoding `gzip`. A form may have `laterality` and `view` as fields."
        ),
        "content": {MULTIPART: {"schema": _FORM}}
        | {media_type: {"schema": _BINARY} for media_type in (*RAW, RELATED)},
    }
}
"""Declaration of a body with one image in OpenAPI.

FastAPI cannot derive it, because the routes read the body themselves. The fields that a form may
have are not declared: they are options of the query as well, and generated clients would have each
of them twice.
"""

_EXAM_FORM = {
    "type": "object",
    "title": "Upload",
    # Not required: parts may be named by side and view instead. For a required list of files
    # the generator of Go clients writes code that does not compile.
    "properties": {
        "file": {
            "type": "array",
            "minItems": 1,
            "items": _BINARY,
            "description": "The mammograms of one exam: DICOM, PNG, JPEG or TIFF.",
        }
    },
}
EXAM_BODY = {
    "requestBody": {
        "required": True,
        "description": (
            "The mammograms of one exam in any order, as a form with several parts named `file`, "
            'or as `multipart/related; type="application/dicom"` with one part for each, as '
            "DICOMweb clients send a study. A part of the form may be named by side and view "
            "instead, such as `L-CC` or `R-MLO`, for a file that does not say them. The body may "
            "have the Content-Encoding `gzip`."
        ),
        "content": {MULTIPART: {"schema": _EXAM_FORM}, RELATED: {"schema": _BINARY}},
    }
}
"""Declaration of a body with an exam in OpenAPI."""
