"""UIDs of new instances and series, derived from the request and the results.

The same request with the same options gives the same UIDs, so an archive takes a result once. Any
object can name its siblings without building them.
"""

import uuid

from service.records import ImageResult, ObjectName, ObjectPart, ObjectRequest, RefusedImage

_NAMESPACE = uuid.UUID("6c6f3f52-8d0b-5b0e-9a35-1f0f1e1b7d4a")
_FIRST_NUMBERS = {
    ObjectName.SUMMARY: 901,
    ObjectName.REPORT: 902,
    ObjectName.MARKS: 910,
    ObjectName.SC: 950,
    ObjectName.SEG: 990,
}


def instance_uid(request: ObjectRequest, part: ObjectPart) -> str:
    """Return the SOP Instance UID of an object of the answer."""
    return derived_uid(request, "instance", part.name, part.position)


def series_uid(request: ObjectRequest, part: ObjectPart) -> str:
    """Return the Series Instance UID of an object: each has a series of its own."""
    return derived_uid(request, "series", part.name, part.position)


def series_number(part: ObjectPart) -> int:
    """Return the Series Number of an object."""
    return _FIRST_NUMBERS[part.name] + (part.position or 0)


def derived_uid(request: ObjectRequest, *names: object) -> str:
    """Return the UID of anything else that an object names, such as an observer or a region."""
    results = request.results
    images = [_name(image) for image in results.images]
    parts = [f"{part.name}-{part.position}" for part in request.parts]
    heat = (results.method, results.layer, results.level, results.scale)

    fields = (
        request.request_id,
        results.model.digest,
        *heat,
        request.syntax,
        *parts,
        *images,
        *names,
    )
    return f"2.25.{uuid.uuid5(_NAMESPACE, repr([str(field) for field in fields])).int}"


def _name(image: ImageResult | RefusedImage) -> str:
    """Return the image, with the side and view that a caller may have named."""
    if isinstance(image, RefusedImage):
        return f"refused {image.slug}"
    facts = image.facts
    return f"{facts.sop_instance_uid} {facts.laterality} {facts.view}"
