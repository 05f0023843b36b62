"""Model cards of manifests with and without levels and provenance."""

from service.model import FakeModel
from tests.support.level_facts import curves, levels, provenance
from training.export.model_card import model_card

MANIFEST = FakeModel().manifest.model_copy(update={"levels": None})


def section(card: str, title: str) -> str:
    return card.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_card_has_rows_by_level_and_views() -> None:
    changes = {"levels": levels(threshold=0.5), "offset": -2.0, "deployment_prevalence": 0.006}

    text = section(model_card(MANIFEST.model_copy(update=changes), None), "Decision")

    assert "Then -2 is added to that of cancer." in text
    assert "0.6 % of the images have cancer" in text
    target = "Highest sensitivity at a recall of at most 10 %."
    shares = "0.800 (0.700 to 0.900) | 0.910 (0.880 to 0.940)"
    of_views = "0.35 | - | 0.800 (0.700 to 0.900) | 12"
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert rows[2:] == [
        f"| image | all | {target} | 0.5 | {shares} | 200 (20 with cancer) |",
        f"| breast | all | {target} | 0.3 | {shares} | 100 (20 with cancer) |",
        f"| breast | 1 |  | {of_views} |",
        f"| breast | 2 |  | {of_views} |",
        f"| exam | all | {target} | 0.45 | - | 0.910 (0.880 to 0.940) | 50 (0 with cancer) |",
    ]


def test_card_has_points_of_each_curve() -> None:
    """At 20 % it has the sensitivity that was measured at 10 %, the last rate up to 20 %."""
    text = section(model_card(MANIFEST, None, curves()), "Curves")

    rows = [line for line in text.splitlines() if line.startswith("|")]
    at_ten = "0.750 (0.650 to 0.850)"
    points = f"0.850 (0.800 to 0.900) | 0.600 (0.500 to 0.700) | {at_ten} | {at_ten}"
    assert rows[0] == "| Level | AUC | At 5 % | At 10 % | At 20 % |"
    assert rows[2:] == [f"| image | {points} |", f"| breast | {points} |"]
    assert "its expected error is 0.055." in text


def test_card_tells_provenance() -> None:
    manifest = MANIFEST.model_copy(update={"provenance": provenance()})

    text = section(model_card(manifest, None), "Provenance")

    assert f"| Table | SHA-256 `{'a' * 64}` |" in text
    assert "| Commit | `0123abc` |" in text
    assert "| Versions | python 3.11.2, keras 3.12.0 |" in text
    assert "| Images by part | train 240, validation 80, test 80 |" in text


def test_card_without_facts_says_so() -> None:
    card = model_card(MANIFEST, None)

    assert "Thresholds of breasts and exams were not chosen." in section(card, "Decision")
    assert section(card, "Curves").strip() == "Not measured."
    assert section(card, "Provenance").strip() == "Not recorded."
