"""Rules of the viewer that need no browser: names of files, and how views hang. Run by Node."""

import json
import subprocess
from typing import Any

import pytest

from docs.viewers import PAGES
from service.imaging.file_names import read_file_name
from tests.service.imaging.test_file_names import NAMES

pytestmark = pytest.mark.interop

VIEWER = PAGES / "viewer"
NOT_PLACED = {"R CC": None, "L CC": None, "R MLO": None, "L MLO": None}


def call(module: str, function: str, *arguments: list[Any]) -> list[Any]:
    """Return what a function of a module returns for each list of arguments."""
    program = (
        f"import {{ {function} }} from {json.dumps((VIEWER / module).as_uri())};"
        f"const results = {json.dumps(arguments)}.map((one) => {function}(...one));"
        "console.log(JSON.stringify(results));"
    )
    command = ["node", "--experimental-default-type=module", "--input-type=module", "-e", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    results: list[Any] = json.loads(done.stdout)
    return results


def image(index: int, label: str, not_counted: str | None = None) -> dict[str, Any]:
    answered = {"counted": not_counted is None, "not_counted": not_counted}
    return {"index": index, "label": label, "answered": answered}


def test_file_names_are_read_as_by_the_command_line() -> None:
    read = call("file_names.js", "readFileName", *([name] for name in NAMES))

    for name, facts in zip(NAMES, read, strict=True):
        named = read_file_name(name)
        both = (named.laterality, named.view) if named.laterality and named.view else (None, None)
        assert (facts["side"], facts["view"]) == both, name


def test_views_hang_by_side_and_view() -> None:
    images = [image(0, "L MLO"), image(1, "L CC"), None, image(3, "R CC")]

    (hung,) = call("hanging.js", "hang", [images])

    assert hung == {"places": NOT_PLACED | {"L MLO": 0, "L CC": 1, "R CC": 3}, "strip": []}


def test_images_without_place_hang_in_the_strip() -> None:
    images = [
        image(0, "L CC", "modifier"),
        image(1, "L CC"),
        image(2, "L CC"),
        image(3, "scan.png", "no-laterality"),
    ]

    (hung,) = call("hanging.js", "hang", [images])

    assert hung["places"] == NOT_PLACED | {"L CC": 1}
    assert hung["strip"] == [
        {"index": 0, "reason": "modifier"},
        {"index": 2, "reason": "repeated"},
        {"index": 3, "reason": "no-laterality"},
    ]


@pytest.mark.parametrize(
    ("orientation", "side", "mirrored"),
    [
        (["P", "L"], "R", False),  # rows run to the back: the chest wall of R is at the right
        (["A", "R"], "L", False),
        (["A", "FR"], "R", True),
        (["P", "FL"], "L", True),
        (None, "R", False),  # nothing says how the file lies
        (["P", "L"], None, False),
    ],
)
def test_view_is_mirrored_by_its_header_alone(
    orientation: list[str] | None, side: str | None, mirrored: bool
) -> None:
    facts = {"patient_orientation": orientation, "laterality": side}

    assert call("hanging.js", "isMirrored", [facts]) == [mirrored]


@pytest.mark.parametrize(
    ("layout", "pairing", "current", "shown"),
    [
        (4, "view", 0, ["R CC", "L CC", "R MLO", "L MLO"]),
        (2, "view", 0, ["R CC", "L CC"]),
        (2, "side", 0, ["R CC", "R MLO"]),
        (2, "view", 3, ["R MLO", "L MLO"]),
        (1, "view", 0, [None]),
        (4, "view", 4, [None]),  # an image of the strip is shown alone
    ],
)
def test_layout_chooses_the_places(
    layout: int, pairing: str, current: int, shown: list[str | None]
) -> None:
    labels = ["R CC", "L CC", "R MLO", "L MLO"]
    images = [image(index, label) for index, label in enumerate(labels)]
    images.append(image(4, "R ML", "view"))
    state = {"images": images, "layout": layout, "pairing": pairing, "current": current}

    (places,) = call("hanging.js", "arrange", [state])

    assert [place["place"] for place in places] == shown
    assert current in [place["index"] for place in places]
