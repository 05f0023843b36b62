"""What the documentation lists is what the code has."""

import re

from service.api.options import ActivationsOptions, GradcamOptions
from service.api.problems.problem_types import STATUSES
from service.explanation import FIGURES
from service.imaging.dicom.pixeldata import SYNTAXES
from service.records import Method
from service.settings import Settings
from tests.support.paths import ROOT
from training.scorecard.criteria import CRITERIA, layer_entries

DOCS = ROOT / "docs"
API = (DOCS / "api.md").read_text("utf-8")
IMAGES = (DOCS / "images.md").read_text("utf-8")
EXPLANATIONS = (DOCS / "explanations.md").read_text("utf-8")
SETTINGS = (DOCS / "settings.md").read_text("utf-8")


def rows(text: str) -> dict[str, list[str]]:
    """The table rows of a page by the code in their first cell."""
    return {
        match[1]: [cell.strip() for cell in match[2].split("|")]
        for match in re.finditer(r"^\| `([^`]+)` \|(.*)\|$", text, re.MULTILINE)
    }


def test_every_setting_is_documented_with_its_name_and_default() -> None:
    documented = rows(SETTINGS)
    for name, field in Settings.model_fields.items():
        variable = field.validation_alias or f"MAMMOLENS_{name.upper()}"
        default = documented[str(variable)][0]
        if field.default is not None:
            assert default.strip("`") == str(field.default).lower(), name
    assert len(documented) == len(Settings.model_fields)


def test_every_problem_is_documented_with_its_status() -> None:
    section = rows(API.split("## Problems")[1])
    assert {slug: int(cells[0]) for slug, cells in section.items()} == {
        cls.slug: int(status) for cls, status in STATUSES.items()
    }


def test_every_option_is_documented_with_its_default() -> None:
    documented = rows(API.split("## Options")[1].split("## Geometry")[0])
    for options in (GradcamOptions, ActivationsOptions):
        for name, field in options.model_fields.items():
            default = documented[field.alias or name][0].strip("`")
            if name != "colormap" and field.default is not None:
                assert default == str(field.default), name


def test_every_warning_of_an_explanation_is_documented() -> None:
    service = DOCS.parent / "service"
    paths = [service / "pipeline" / "assessment.py", *(service / "explanation").glob("*.py")]
    given = {
        code
        for path in paths
        for code in re.findall(r'QualityWarning\(\s*"([a-z-]+)"', path.read_text("utf-8"))
    }
    assert given | {"unusual-..."} == set(rows(API.split("## Warnings")[1].split("## Problems")[0]))


def test_every_figure_is_documented_with_the_side_that_is_an_alarm() -> None:
    section = rows(EXPLANATIONS.split("## Figures of an image")[1].split("Literature:")[0])
    alarms = {
        name: match[1] if (match := re.search(r"\*\*(\w+)\*\*", cells[1])) else None
        for name, cells in section.items()
    }
    # the distance has an alarm of its own, out-of-domain
    assert alarms.pop("domain_distance") == "high"
    assert alarms == {
        name: figure.alarm for name, figure in FIGURES.items() if name != "domain_distance"
    }


def test_every_line_of_the_scorecard_is_documented_with_what_it_asks() -> None:
    section = rows(
        EXPLANATIONS.split("## The scorecard of a model version")[1].split("## Planted failures")[0]
    )
    lines = [asked.judge(name, None) for name, asked in CRITERIA.items()]
    lines += layer_entries({"<layer>": 0.0}, {"<layer>": 0.0})
    assert {name: cells[0] for name, cells in section.items()} == {
        line.name: line.asked for line in lines
    }


def test_every_method_is_documented() -> None:
    section = rows(EXPLANATIONS.split("## Methods")[1].split("How well they find")[0])
    assert section.keys() - {"method"} == {method.value for method in Method}


def test_every_warning_about_an_image_is_documented() -> None:
    source = "".join(
        path.read_text("utf-8") for path in (DOCS.parent / "service" / "imaging").rglob("*.py")
    )
    given = set(re.findall(r'QualityWarning\(\s*"([a-z-]+)"', source))
    assert given == set(rows(IMAGES.split("## Warnings about the image")[1].split("## Bounds")[0]))


def test_every_transfer_syntax_is_documented() -> None:
    section = IMAGES.split("## Transfer syntaxes")[1].split("##")[0]
    documented = {f"1.2.840.10008.1.2{suffix}" for suffix in re.findall(r"`(\.[\d.]+)`", section)}
    assert documented | {"1.2.840.10008.1.2"} == {str(syntax) for syntax in SYNTAXES}
