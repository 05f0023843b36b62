"""Score parts on this machine, without any engine."""

from collections.abc import Iterator, Sequence
from itertools import islice

import pyarrow as pa

from service.runtime.scoring.image_row import IMAGE_ROW
from service.runtime.scoring.image_scorer import ImageScorer, ScoringOrder, scoring
from service.runtime.scoring.listing_parts import ListingPart, ScoredPart
from service.runtime.scoring.scoring_progress import ScoringProgress


def score_parts(
    order: ScoringOrder, parts: Sequence[ListingPart], progress: ScoringProgress
) -> Iterator[ScoredPart]:
    """Yield the rows of each part in order.

    Raises:
        BundleError: the model cannot be loaded.
        OSError: the storage of a file fails.
    """
    if not parts:
        return
    with scoring(order) as scorer:
        yield from stream(scorer, parts, progress)


def stream(
    scorer: ImageScorer, parts: Sequence[ListingPart], progress: ScoringProgress
) -> Iterator[ScoredPart]:
    """Yield the rows of each part in order. Images of a part are begun before the last one ends."""
    rows = scorer.score(image for part in parts for image in part.images.to_pylist())
    for part in parts:
        scored = []
        for row in islice(rows, part.images.num_rows):
            progress.count([row.get("problem")])
            scored.append(row)
        yield part.number, pa.Table.from_pylist(scored, IMAGE_ROW)
