"""Read a tensor that its caller has fitted to the model's grid, in place of a file."""

import numpy as np

from service.errors import NoBreast, NotFitted
from service.geometry import IDENTITY
from service.imaging.reading import Reading
from service.records import Box, FitParameters, Fitted, Floats, ImageFacts, QualityWarning

FITTED_BY_CALLER = QualityWarning(
    "fitted-by-caller",
    "The caller fitted the image to the model's grid. Its file, outline and side were not checked.",
)
_BITS = 32


def read_fitted(data: bytes, parameters: FitParameters, picture_edge: float = 0) -> Reading:  # noqa: ARG001 - a `Read`
    """Read the bytes of a float32 tensor [height, width, 1] in [0, 1], little-endian.

    It is a `Read`: pixels of the grid stand for those of a file, and there is no picture. All that
    is not 0 counts as breast.

    Raises:
        NotFitted: the bytes are not as many, or a value is outside of [0, 1].
        NoBreast: all values are 0.
    """
    image = _image(data, parameters)
    mask = image[..., 0] > 0
    if not mask.any():
        raise NoBreast("No breast was found: all values of the tensor are 0.")

    height = parameters.height
    width = parameters.width
    facts = ImageFacts("fitted", height, width, _BITS)
    fitted = Fitted(
        image=image,
        mask=mask,
        to_source=IDENTITY,
        box=Box(0, 0, width, height),
        side="left",
        breast=mask,
        breast_to_source=IDENTITY,
    )
    return Reading(facts, fitted, (FITTED_BY_CALLER,), None, [])


def _image(data: bytes, parameters: FitParameters) -> Floats:
    """Return the values as an array, which is checked."""
    shape = (parameters.height, parameters.width, 1)
    if len(data) != np.dtype(np.float32).itemsize * parameters.height * parameters.width:
        raise NotFitted("The tensor has not as many values as the model's grid has pixels.")

    image = np.frombuffer(data, "<f4").astype(np.float32, copy=False).reshape(shape)
    # A comparison with NaN is false.
    if not (image.min() >= 0 and image.max() <= 1):
        raise NotFitted("A value of the tensor is outside of 0 to 1.")
    return image
