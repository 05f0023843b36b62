"""Array types, and the grey value of white.

Grids are indexed [row, column]. Points and boxes are (x, y) = (column, row), in the convention of
`service.geometry`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.integer[Any]]
Pixels = NDArray[np.uint16]
Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

WHITE = 65535
"""Displayed grey value of white in `Pixels`. Black is 0."""
