"""Provenance of a bundle, from the provenance of the run that it comes from."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from service.model import Provenance
from training.config import Experiment


def provenance(document: Mapping[str, Any]) -> Provenance:
    """Return the facts of a run's provenance that a bundle keeps. They hold no key of a patient.

    The rounds of a cross-validation become one: their digests are put together, their commits,
    versions and devices are listed where they differ, and their test parts are counted as one part.
    """
    rounds = list(document.get("rounds", {"": document}).values())

    return Provenance(
        table_sha256=_together([_together(list(one["data"]["tables"].values())) for one in rounds]),
        images_sha256=_together(
            [_together(list(one["data"]["images"].values())) for one in rounds]
        ),
        split_sha256=_together([one["data"]["split"] for one in rounds]),
        commit=_all([commit for one in rounds if (commit := _commit(one["code"]))]) or None,
        versions={
            name: _all([one["code"]["versions"].get(name, "none") for one in rounds])
            for name in {name: None for one in rounds for name in one["code"]["versions"]}
        },
        device=_all([_device(one["machine"]) for one in rounds]),
        seeds=rounds[0]["seeds"],
        patients=_counts(rounds, "patients"),
        images=_counts(rounds, "images"),
        first_weights_sha256=rounds[0].get("first_weights"),
    )


def _together(digests: Sequence[str]) -> str:
    """Return the one digest that all are, or a digest of all of them."""
    different = list(dict.fromkeys(digests))
    if len(different) == 1:
        return different[0]
    return hashlib.sha256(json.dumps(different).encode()).hexdigest()


def _all(texts: Sequence[str]) -> str:
    """Return the different texts, in order of appearance."""
    return "; ".join(dict.fromkeys(texts))


def _device(machine: Mapping[str, Any]) -> str:
    return f"{', '.join(machine['devices'])} ({machine['backend']}, {machine['cores']} cores)"


def _commit(code: Mapping[str, Any]) -> str | None:
    """Return the commit, marked if the code was changed since, or None if it is not known."""
    if code["commit"] is None:
        return None
    return f"{code['commit']}{' with changes' if code['changed'] else ''}"


def _counts(rounds: Sequence[Mapping[str, Any]], name: str) -> dict[str, int]:
    """Return the counts by part, or of all test parts of a cross-validation."""
    if len(rounds) == 1:
        return {part: counts[name] for part, counts in rounds[0]["data"]["parts"].items()}

    total = sum((Counter(one["data"]["parts"]["test"]) for one in rounds), Counter[str]())
    return {"cross-validation": total[name]}


def settings_json(experiment: Experiment) -> str:
    """Return the settings of an experiment that a bundle keeps, as JSON.

    Names of files and of patients are left out.
    """
    left_out: Any = {
        "data": True,
        "filter": {"patient_ids"},
        "network": {"init"},
        "bundle": {"golden_image"},
    }
    return experiment.model_dump_json(exclude=left_out, indent=2)
