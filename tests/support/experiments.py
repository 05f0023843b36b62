"""Image sources for tests that need no more of them than their tables."""

from training.config import Fit, ImageSource
from training.table_config import Data, HashSplit, RowFilter


def image_source(data: Data, choice: RowFilter | None = None) -> ImageSource:
    """Return a source of these tables, with a split and a fit that do not matter."""
    return ImageSource(
        data=data,
        filter=choice or RowFilter(),
        split=HashSplit(by="patient", validation=0.2, test=0.2),
        fit=Fit(height=48, width=36, margin=0.02, white_percentile=99.5),
    )
