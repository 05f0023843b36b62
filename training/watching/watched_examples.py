"""Examples: a few images of a part, which are the same in every epoch of every run."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from service.records import Floats, Mask
from training.data.cache import Part
from training.data.lesions import lesion_on_grid, read_lesion
from training.data.table import Record


@dataclass(frozen=True, slots=True)
class Example:
    """An image that is watched.

    `number`: from 1, its name in pictures. `image` [height, width, 1]: the network's input. `mask`:
    the breast. `lesion`: the known lesion on the same grid, or None.
    """

    number: int
    record: Record
    image: Floats
    mask: Mask
    lesion: Mask | None


def choose_examples(part: Part, count: int) -> list[Example]:
    """Return at most `count` examples of a part: first half with cancer, then half without.

    See `choose`.
    """
    indices = choose(part.records, count)
    images = part.images(indices)
    examples = []
    for number, (index, image) in enumerate(zip(indices, images, strict=True), start=1):
        mask = part.mask(index)
        lesion = _lesion(part, index, mask)
        examples.append(Example(number, part.records[index], image, mask, lesion))

    return examples


def choose(records: Sequence[Record], count: int) -> list[int]:
    """Return the indices of at most `count` records, whatever their order.

    The first half has cancer, the second has none. Both alternate between the two commonest views.
    As far as possible, each is of another patient, and the lesions of the cancers are known.
    """
    chosen = []
    for cancer in (True, False):
        indices = [index for index, record in enumerate(records) if record.cancer is cancer]
        chosen += _alternating(records, _ranked(records, indices))[: count // 2]

    return chosen


def _ranked(records: Sequence[Record], indices: Sequence[int]) -> list[int]:
    """Return the indices by preference. The last criterion is a digest, which is arbitrary."""
    drawn = sorted(
        indices,
        key=lambda index: (
            records[index].lesion_mask is None,
            hashlib.sha256("/".join(records[index].key).encode()).digest(),
        ),
    )

    # The first image of each patient, then the second of each, and so on.
    seen: Counter[str] = Counter()
    turns = {}
    for index in drawn:
        turns[index] = seen[records[index].patient_id]
        seen[records[index].patient_id] += 1
    return sorted(drawn, key=turns.__getitem__)


def _alternating(records: Sequence[Record], ranked: Sequence[int]) -> list[int]:
    """Return the indices with alternating views, those of rarer views last."""
    counts = Counter(sorted(record.view for record in records))
    common = [view for view, _ in counts.most_common(2)]
    by_view = [[index for index in ranked if records[index].view == view] for view in common]
    rest = [index for index in ranked if records[index].view not in common]

    turns = chain.from_iterable(zip_longest(*by_view))
    return [*(index for index in turns if index is not None), *rest]


def _lesion(part: Part, index: int, mask: Mask) -> Mask | None:
    """Read the lesion of an image with cancer on the model's grid, None if it is not known."""
    record = part.records[index]
    if record.lesion_mask is None or not record.cancer:
        return None
    return lesion_on_grid(read_lesion(record), part.to_source(index), mask.shape)
