"""The pages on the architecture say what the code has."""

import re
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

from docs.diagram import END, PAGE, parts
from tests.support.paths import ROOT

TEXT = PAGE.read_text("utf-8")
MAX_PACKAGES = 14
MAX_MODULES = 4
MAX_LINES = 300
TOPS = ("service", "training", "tests")


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def test_generated_parts_are_up_to_date() -> None:
    """`make diagram` writes them."""
    for begin, part in parts().items():
        assert TEXT.partition(begin)[2].partition(END)[0] == part


def test_page_lists_the_parts_of_the_service() -> None:
    top = ROOT / "service"
    packages = {path.parent.name for path in top.glob("*/__init__.py")}
    modules = {path.name for path in top.glob("*.py")} - {"__init__.py"}
    table = TEXT.partition("## Packages")[2].partition("## The way of one request")[0]
    listed = set(re.findall(r"^\| `([\w.]+)/?` \|", table, re.MULTILINE))

    assert listed == packages | modules
    assert len(packages) <= MAX_PACKAGES
    assert len(modules) <= MAX_MODULES


def test_every_file_named_exists() -> None:
    """The walks leave out `service/` and `training/`, and rows repeat no directory."""
    named = set(re.findall(r"\b\w[\w/]*\.py", TEXT))
    existing = [f"/{path.relative_to(ROOT)}" for path in ROOT.glob("*.py")]
    existing += [f"/{path.relative_to(ROOT)}" for top in TOPS for path in sources(top)]

    missing = {name for name in named if not any(path.endswith(f"/{name}") for path in existing)}

    assert not missing


@pytest.mark.parametrize("package", ["service", "training"])
def test_no_module_is_two_things(package: str) -> None:
    long = [
        path.name for path in sources(package) if len(path.read_text().splitlines()) > MAX_LINES
    ]

    assert not long


def test_no_import_is_circular() -> None:
    """`TopologicalSorter` raises CycleError with the modules of a circle."""
    graph = grimp.build_graph("service", "training", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}

    TopologicalSorter(imports).prepare()


def test_files_have_unique_names() -> None:
    names = [path.name for package in ("service", "training") for path in sources(package)]
    repeated = {name for name in names if names.count(name) > 1}

    assert repeated == {"__init__.py", "__main__.py"}


def test_classes_have_unique_names() -> None:
    texts = [path.read_text() for package in ("service", "training") for path in sources(package)]
    names = [name for text in texts for name in re.findall(r"^class (\w+)", text, re.MULTILINE)]
    repeated = {name for name in names if names.count(name) > 1}

    assert not repeated


def test_glossary_names_classes_that_exist() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    named = set(re.findall(r"`([A-Z]\w+)`", glossary))
    defined = {
        name
        for package in ("service", "training")
        for path in sources(package)
        for name in re.findall(r"^class (\w+)", path.read_text(), re.MULTILINE)
    }

    assert named <= defined
