"""Types of bodies that carry an image, and their declaration in OpenAPI."""

MULTIPART = "multipart/form-data"
RELATED = "multipart/related"
DICOM = "application/dicom"
RAW = (DICOM, "image/png", "image/jpeg", "image/tiff", "application/octet-stream")
AVAILABLE = (MULTIPART, *RAW, f'{RELATED}; type="{DICOM}"')
"""Types of bodies, as an error lists them."""

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
"""Declaration of the body in OpenAPI.

FastAPI cannot derive it, because the routes read the body themselves. The fields that a form may
have are not declared: they are options of the query as well, and generated clients would have each
of them twice.
"""
