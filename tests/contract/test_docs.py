"""Comparison of the tables in the documentation with the code."""

import re

from service.api.options import ActivationsOptions, ExamOptions, GradcamOptions
from service.api.problems.problem_types import STATUSES
from service.explanation import FIGURES
from service.imaging.dicom.pixeldata import SYNTAXES
from service.records import Method
from service.settings import Settings
from tests.support.paths import ROOT
from training.evaluation.calibration_figures import CALIBRATION_FIGURES
from training.evaluation.discrimination import ranking_figures, threshold_figures
from training.evaluation.floor import FloorKind
from training.scorecard.criteria import CRITERIA, LAYER_CRITERIA

DOCS = ROOT / "docs"
API = (DOCS / "api.md").read_text("utf-8")
IMAGES = (DOCS / "images.md").read_text("utf-8")
EVALUATION = (DOCS / "evaluation.md").read_text("utf-8")
EXPLANATIONS = (DOCS / "explanations.md").read_text("utf-8")
SECURITY = (DOCS / "security.md").read_text("utf-8")
SETTINGS = (DOCS / "settings.md").read_text("utf-8")


def rows(text: str) -> dict[str, list[str]]:
    """Return the table rows of a page, keyed by the code in their first cell."""
    matches = re.finditer(r"^\| `([^`]+)` \|(.*)\|$", text, re.MULTILINE)
    return {match[1]: [cell.strip() for cell in match[2].split("|")] for match in matches}


def section_of(page: str, heading: str, end: str) -> str:
    """Return the text of a page between a heading and the text `end`."""
    return page.split(heading)[1].split(end, maxsplit=1)[0]


def test_settings_are_documented_with_name_and_default() -> None:
    documented = rows(SETTINGS)

    for name, field in Settings.model_fields.items():
        variable = field.validation_alias or f"MAMMOLENS_{name.upper()}"
        default = documented[str(variable)][0]
        if field.default is not None:
            assert default.strip("`") == str(field.default).lower(), name

    assert len(documented) == len(Settings.model_fields)


def test_problems_are_documented_with_their_status() -> None:
    documented = rows(API.split("## Problems")[1])

    assert {slug: int(cells[0]) for slug, cells in documented.items()} == {
        cls.slug: int(status) for cls, status in STATUSES.items()
    }


def test_options_are_documented_with_their_default() -> None:
    documented = rows(section_of(API, "## Options", "## Geometry"))

    for options in (GradcamOptions, ExamOptions, ActivationsOptions):
        for name, field in options.model_fields.items():
            default = documented[field.alias or name][0].strip("`")
            if name != "colormap" and field.default is not None:
                assert default == str(field.default), name


def test_warnings_of_explanations_are_documented() -> None:
    service = DOCS.parent / "service"
    packages = (service / "pipeline", service / "explanation")
    paths = [path for package in packages for path in package.glob("*.py")]
    source = "".join(path.read_text("utf-8") for path in paths)
    codes = set(re.findall(r'QualityWarning\(\s*"([a-z-]+)"', source))

    documented = rows(section_of(API, "## Warnings", "## Problems"))
    assert codes | {"unusual-..."} == set(documented)


def test_figures_are_documented_with_their_alarm_side() -> None:
    section = rows(section_of(EXPLANATIONS, "## Figures of an image", "Literature:"))
    alarms = {
        name: match[1] if (match := re.search(r"\*\*(\w+)\*\*", cells[1])) else None
        for name, cells in section.items()
    }

    # The distance has a separate warning, out-of-domain.
    assert alarms.pop("domain_distance") == "above"
    assert alarms == {
        name: figure.alarm for name, figure in FIGURES.items() if name != "domain_distance"
    }


def test_scorecard_entries_are_documented_with_their_requirement() -> None:
    heading = "## The scorecard of a model version"
    documented = rows(section_of(EXPLANATIONS, heading, "## Planted failures"))

    entries = [criterion.judge(name, None) for name, criterion in CRITERIA.items()]
    entries += [
        criterion.judge(f"{kind} <layer>", None) for kind, criterion in LAYER_CRITERIA.items()
    ]
    assert {name: cells[0] for name, cells in documented.items()} == {
        entry.name: entry.asked for entry in entries
    }


def test_figures_of_evaluations_are_documented() -> None:
    first_cells = "".join(re.findall(r"^\| (`.*?) \|", EVALUATION, re.MULTILINE))
    documented = {name.split(".")[-1] for name in re.findall(r"`([^`]+)`", first_cells)}

    figures = {**ranking_figures(), **threshold_figures(0.5), **CALIBRATION_FIGURES}
    assert documented >= figures.keys() | {kind.value for kind in FloorKind}


def test_methods_are_documented() -> None:
    section = rows(section_of(EXPLANATIONS, "## Methods", "How well they find"))

    assert section.keys() - {"method"} == {method.value for method in Method}


def test_warnings_about_images_are_documented() -> None:
    paths = (DOCS.parent / "service" / "imaging").rglob("*.py")
    source = "".join(path.read_text("utf-8") for path in paths)
    codes = set(re.findall(r'QualityWarning\(\s*"([a-z-]+)"', source))

    assert codes == set(rows(section_of(IMAGES, "## Warnings about the image", "## Bounds")))


def test_transfer_syntaxes_are_documented() -> None:
    section = section_of(IMAGES, "## Transfer syntaxes", "##")
    documented = {f"1.2.840.10008.1.2{suffix}" for suffix in re.findall(r"`(\.[\d.]+)`", section)}

    assert documented | {"1.2.840.10008.1.2"} == {str(syntax) for syntax in SYNTAXES}


def test_promises_name_existing_tests() -> None:
    promises = re.findall(r"^\| [^|]+ \| [^|]+ \| (`.+`) \|$", SECURITY, re.MULTILINE)
    named = [re.findall(r"`([^`:]+)::([^`]+)`", cell) for cell in promises]

    for path, function in (test for tests in named for test in tests):
        source = (ROOT / "tests" / path).read_text("utf-8")
        assert f"def {function}(" in source, f"{path}::{function}"
    assert len(named) > 30
    assert all(named)
