import json
from typing import Any

import pytest

from tests.support.paths import ROOT
from training.config_files import load_experiment
from training.export.origin import provenance, settings_json

A, B, C = ("a" * 64, "b" * 64, "c" * 64)


def facts(**changes: Any) -> dict[str, Any]:
    """Return the provenance of a run."""
    counts = {"patients": 5, "images": 20, "with_cancer": 2, "dropped": 1}
    return {
        "began": "2026-11-26T00:00:00+00:00",
        "data": {
            "tables": {"table": A},
            "split": changes.get("split", B),
            "images": {"train": C, "validation": C, "test": C},
            "parts": {
                "train": counts | {"patients": 15, "images": 60},
                "validation": counts,
                "test": counts | {"images": changes.get("tested", 18)},
            },
        },
        "code": {
            "commit": changes.get("commit", "0123abc"),
            "changed": changes.get("changed", False),
            "versions": {"keras": changes.get("keras", "3.12.0"), "python": "3.11.7"},
        },
        "machine": {
            "backend": "tensorflow",
            "devices": ["cpu:0"],
            "cores": changes.get("cores", 2),
        },
        "seeds": {"training": 3, "split": 0},
    }


def test_bundle_keeps_the_facts_of_its_run() -> None:
    origin = provenance(facts())

    assert (origin.table_sha256, origin.split_sha256, origin.images_sha256) == (A, B, C)
    assert origin.commit == "0123abc"
    assert origin.device == "cpu:0 (tensorflow, 2 cores)"
    assert origin.patients == {"train": 15, "validation": 5, "test": 5}
    assert origin.images == {"train": 60, "validation": 20, "test": 18}
    assert origin.seeds == {"training": 3, "split": 0}
    assert origin.first_weights_sha256 is None


def test_bundle_keeps_the_digest_of_first_weights() -> None:
    assert provenance(facts() | {"first_weights": A}).first_weights_sha256 == A


def test_rounds_are_put_together() -> None:
    """Every image is tested once, so the test parts are the whole."""
    rounds = {"0": facts(tested=18), "1": facts(tested=21, split=A), "2": facts(tested=1, split=C)}

    origin = provenance({"rounds": rounds})

    assert origin.patients == {"cross-validation": 15}
    assert origin.images == {"cross-validation": 40}
    assert (origin.table_sha256, origin.images_sha256) == (A, C)
    # The splits differ, and so their digest is a new one, which depends on all of them.
    assert origin.split_sha256 not in (A, B, C)
    other = provenance({"rounds": {**rounds, "2": facts(split=B)}})
    assert other.split_sha256 != origin.split_sha256


def test_rounds_of_different_code_are_all_named() -> None:
    rounds = {
        "0": facts(),
        "1": facts(commit="4567def", changed=True, keras="3.15.1", cores=8),
        "2": facts(commit=None),
    }

    origin = provenance({"rounds": rounds})

    assert origin.commit == "0123abc; 4567def with changes"
    assert origin.versions == {"keras": "3.12.0; 3.15.1", "python": "3.11.7"}
    assert origin.device == "cpu:0 (tensorflow, 2 cores); cpu:0 (tensorflow, 8 cores)"


@pytest.mark.parametrize(
    ("commit", "changed", "told"),
    [("0123abc", True, "0123abc with changes"), (None, False, None)],
)
def test_commit_tells_whether_code_was_changed(
    commit: str | None, changed: bool, told: str | None
) -> None:
    assert provenance(facts(commit=commit, changed=changed)).commit == told


def test_settings_of_a_bundle_name_no_file() -> None:
    demo = load_experiment(ROOT / "training" / "experiments" / "rsna-lite0.toml")

    settings = settings_json(demo)

    assert json.loads(settings)["network"]["kind"] == "efficientnet-lite0"
    assert "weights/" not in settings
    assert "data/" not in settings
