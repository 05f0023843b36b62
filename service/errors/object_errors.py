"""Errors of objects for archives that cannot be made of the images, though these were answered."""

from service.errors.request_errors import RequestError


class DecidedNegative(RequestError):
    """The image is decided negative, and its heat was not asked for."""

    slug = "decided-negative"
    title = "Image decided negative"
    remedy = (
        "Ask for `summary` or `report`. With `negatives=true` the heat is shown all the same, "
        "labelled as decided negative."
    )


class NoRegion(RequestError):
    """The heat of the image forms no region."""

    slug = "no-region"
    title = "No region in the heatmap"
    remedy = "Ask for `sc`, `summary` or `report`, or lower `level`."


class NoObject(RequestError):
    """None of the wanted objects can be made of the exam."""

    slug = "no-object"
    title = "None of the objects exists"
    remedy = "Ask for `summary` or `report` as well, which every exam has, or for `negatives=true`."


class ObjectsTooLarge(RequestError):
    """The objects or the pixels of one answer take more memory than is allowed."""

    slug = "objects-too-large"
    title = "Objects too large for one answer"
    remedy = (
        "Ask for fewer objects at a time, or for `sc_syntax=jpeg-ls`, which makes overlays smaller "
        "without loss. Of `/exam/pixels`, send fewer files, or ask for a smaller `size`, such as "
        "`size=2048`."
    )

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"The parts of one answer take more than {max_bytes} bytes.")
