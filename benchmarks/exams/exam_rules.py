"""Rules about exams that every answer must keep, counted over many patients."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from benchmarks.exams.exam_requests import post_exam


class Tally:
    """Counts how often each rule was kept."""

    def __init__(self) -> None:
        self._tries: Counter[str] = Counter()
        self._kept: Counter[str] = Counter()

    def count(self, rule: str, is_kept: bool) -> None:  # noqa: FBT001 - the one value counted
        """Count one try of a rule."""
        self._tries[rule] += 1
        self._kept[rule] += is_kept

    def print(self) -> None:
        """Print a row for each rule."""
        print("\n| rule | kept | of |\n|---|---|---|")
        for rule, tries in self._tries.items():
            print(f"| {rule} | {self._kept[rule]} | {tries} |")


def check_patient(
    client: httpx.Client,
    files: Sequence[bytes],
    others: Sequence[bytes],
    answer: Mapping[str, Any],
    tally: Tally,
) -> None:
    """Post the files of a patient in another order, one of them twice, and with a stranger's.

    `others`: files of another patient. `answer`: to the files in their order.
    """
    turned = post_exam(client, files[::-1]).raise_for_status().json()
    tally.count("the order changes no bit", by_image(turned) == by_image(answer))

    doubled = post_exam(client, [*files, files[0]]).raise_for_status().json()
    reasons = [image["not_counted"] for image in doubled["images"]]
    tally.count("one of two equal files is a duplicate", reasons.count("duplicate") == 1)
    same = all(doubled[key] == answer[key] for key in ("exam",))
    tally.count("a duplicate changes no decision", same and _same_breasts(doubled, answer))

    mixed = post_exam(client, [*files[:2], *others[2:]])
    is_refused = mixed.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    kind = mixed.json().get("type")
    tally.count("mixed patients are refused", is_refused and kind == "urn:mammolens:mixed-exam")


def by_image(answer: Mapping[str, Any]) -> str:
    """Return an answer as text in which files are named by their UID instead of their position.

    What belongs to the request alone is left out: its timings.
    """
    uids = [image["image"]["sop_instance_uid"] for image in answer["images"]]
    images = {
        uid: _without_timings(image) for uid, image in zip(uids, answer["images"], strict=True)
    }
    breasts = {
        side: breast | {"images": sorted(uids[position] for position in breast["images"])}
        for side, breast in answer["breasts"].items()
        if breast is not None
    }
    rest = {key: value for key, value in answer.items() if key not in {"images", "breasts"}}
    named = _without_timings(rest) | {"images": images, "breasts": breasts}
    return json.dumps(named, sort_keys=True)


def _same_breasts(doubled: Mapping[str, Any], answer: Mapping[str, Any]) -> bool:
    """Return whether the decisions about breasts are equal, wherever their images stand."""

    def decisions(some: Mapping[str, Any]) -> dict[str, Any]:
        return {
            side: {key: value for key, value in breast.items() if key != "images"}
            for side, breast in some["breasts"].items()
            if breast is not None
        }

    return decisions(doubled) == decisions(answer)


def _without_timings(part: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in part.items() if key != "timings_ms"}
