"""Errors of several images as a whole, rather than of one of them."""

from collections.abc import Mapping, Sequence

from service.errors.image_errors import ImageError
from service.errors.request_errors import RequestError


class MixedExam(RequestError):
    """Two files are of different studies or of different patients. Neither is ever named."""

    slug = "mixed-exam"
    title = "Files of different studies or patients"
    remedy = "Send the files of one study of one patient in a request."


class NoImageAnswered(RequestError):
    """Every image of the exam was refused. `refusals`: why, in the order of the files."""

    slug = "no-image-answered"
    title = "No image of the exam can be read"
    remedy = "Correct the files as `refusals` says, or send others."

    def __init__(self, refusals: Sequence[ImageError]) -> None:
        number = len(refusals)
        count = f": {number} in all" if number > 1 else ""
        super().__init__(f"None of the files can be read as a mammogram{count}.")
        self.refusals = tuple(refusals)


class ImagesRefused(RequestError):
    """Images of an inference request were refused, so there is no tensor for all of them.

    `refusals`: why, by the position of the image, from 0.
    """

    slug = "images-refused"
    title = "Images refused"
    remedy = "Correct the images, or send the others without them."

    def __init__(self, refusals: Mapping[int, ImageError], images: int) -> None:
        told = " ".join(
            f"Image {position + 1}: {refusal}" for position, refusal in sorted(refusals.items())
        )
        super().__init__(f"{len(refusals)} of {images} images cannot be read. {told}")
        self.refusals = dict(refusals)
