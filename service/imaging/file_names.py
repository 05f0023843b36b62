"""Side and view as the names of files say them, for the command line alone.

The service never looks at the name of an uploaded file: it may hold the name of a patient.
"""

import re
from collections.abc import Container, Sequence
from itertools import pairwise
from typing import TypeVar

from service.records import Laterality, NamedFacts, View

T = TypeVar("T")

_WORDS: dict[str, Laterality] = {"LEFT": "L", "RIGHT": "R"}
# These may be initials. They count beside a view, or anywhere in a name with a view.
_LETTERS: dict[str, Laterality] = {"L": "L", "R": "R", "LT": "L", "RT": "R"}
_SIDES = _WORDS | _LETTERS

_PLAIN_VIEWS: dict[str, View] = {
    view.value: view for view in (View.CC, View.MLO, View.LMO, View.XCC, View.XCCL, View.XCCM)
}
# These are also words, initials or units. They count beside a side.
_SHORT_VIEWS: dict[str, View] = {
    view.value: view for view in (View.ML, View.LM, View.SIO, View.ISO, View.FB, View.CV)
}
_VIEWS = _PLAIN_VIEWS | _SHORT_VIEWS

_SIDE_THEN_VIEW = re.compile(f"({'|'.join(_SIDES)})({'|'.join(_VIEWS)})")
_VIEW_THEN_SIDE = re.compile(f"({'|'.join(_PLAIN_VIEWS)})({'|'.join(_SIDES)})")


def read_file_name(name: str) -> NamedFacts:
    """Return the side and the view that a file's name says.

    A name that says two different sides says none, and the same holds for views.
    """
    words = [word for word in re.split("[^A-Z0-9]+", name.upper()) if word]
    joined = [match for match in map(_split_joined, words) if match]

    views = [
        *(view for _, view in joined),
        *(_PLAIN_VIEWS[word] for word in words if word in _PLAIN_VIEWS),
        *(_SHORT_VIEWS[word] for word in _beside(words, _SHORT_VIEWS, _SIDES)),
    ]
    sides = [
        *(side for side, _ in joined),
        *(_WORDS[word] for word in words if word in _WORDS),
        *(_LETTERS[word] for word in _beside(words, _LETTERS, _VIEWS)),
    ]
    if views and not sides:
        sides = [_LETTERS[word] for word in words if word in _LETTERS]

    return NamedFacts(_only(sides), _only(views), "file-name")


def _split_joined(word: str) -> tuple[Laterality, View] | None:
    """Return side and view of a word such as LMLO or CCRIGHT. XCCL is a view alone."""
    if word in _VIEWS:
        return None
    if match := _SIDE_THEN_VIEW.fullmatch(word):
        return _SIDES[match[1]], _VIEWS[match[2]]
    if match := _VIEW_THEN_SIDE.fullmatch(word):
        return _SIDES[match[2]], _VIEWS[match[1]]
    return None


def _beside(words: Sequence[str], wanted: Container[str], others: Container[str]) -> list[str]:
    """Return the wanted words that stand next to one of the others."""
    pairs = list(pairwise(words))
    either_way = [*pairs, *((second, first) for first, second in pairs)]
    return [word for word, neighbour in either_way if word in wanted and neighbour in others]


def _only(values: Sequence[T]) -> T | None:
    """Return the value if it is always the same."""
    return values[0] if len(set(values)) == 1 else None
