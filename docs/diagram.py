"""Draw the packages and list the modules in docs/architecture.md: `make diagram`.

The layers come from the contracts in pyproject.toml, the arrows from the imports in the code, and
the list from the docstrings of the modules. An arrow that follows from others is left out.
"""

import ast
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
END = "<!-- end -->"

Imports = Mapping[str, set[str]]


def main() -> int:
    """Replace both parts of the page. Return 0."""
    text = PAGE.read_text("utf-8")
    for begin, part in parts().items():
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(END)
        text = f"{before}{begin}{part}{END}{after}"

    PAGE.write_text(text, "utf-8")
    return 0


def parts() -> Mapping[str, str]:
    """Return each generated part of the page by the line before it."""
    return {
        "<!-- drawing, by `make diagram` -->\n": draw(),
        "<!-- modules, by `make diagram` -->\n": list_modules(),
    }


def draw() -> str:
    """Return the drawing of both packages as Mermaid in Markdown."""
    graph = grimp.build_graph("service", "training", cache_dir=None)
    return "".join(_draw_package(graph, package) for package in ("service", "training"))


def list_modules() -> str:
    """Return a table of all modules with the first sentence of their docstrings."""
    rows = ["\n| module | content |", "|---|---|"]
    for package in ("service", "training"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if path.name not in {"__init__.py", "__main__.py"}:
                docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
                rows.append(f"| `{path.relative_to(ROOT)}` | {docstring.partition(chr(10))[0]} |")

    return "\n".join([*rows, "\n"])


def _draw_package(graph: grimp.ImportGraph, package: str) -> str:
    layers = _layers(package)
    members = [name for layer in layers for name in layer]
    imports = {name: _imports_of(graph, package, name, members) for name in members}

    lines = [f"\n`{package}/`:\n", "```mermaid", "flowchart TD"]
    for number, layer in enumerate(layers):
        lines.append(f'    subgraph layer{number}[" "]')
        lines += [f'        {name}["{name}"]' for name in layer]
        lines.append("    end")
    for name, targets in _without_shortcuts(imports).items():
        lines += [f"    {name} --> {target}" for target in sorted(targets)]
    return "\n".join([*lines, "```", ""])


def _layers(package: str) -> list[list[str]]:
    """Return the members of each layer from the top, without `__main__`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    contract = next(each for each in contracts if each.get("containers") == [package])
    layers = [layer.split(" | ") for layer in contract["layers"]]
    return [layer for layer in layers if layer != ["__main__"]]


def _imports_of(
    graph: grimp.ImportGraph, package: str, name: str, members: Iterable[str]
) -> set[str]:
    """Return the members that a member imports directly."""
    root = f"{package}.{name}"
    modules = {root, *graph.find_descendants(root)}
    imported = {
        target for module in modules for target in graph.find_modules_directly_imported_by(module)
    }
    return {
        other
        for other in members
        if other != name and any(module.split(".")[:2] == [package, other] for module in imported)
    }


def _without_shortcuts(imports: Imports) -> Imports:
    """Return the imports without those that follow from a chain of others."""

    def reachable(name: str) -> set[str]:
        direct = imports[name]
        return direct.union(*(reachable(target) for target in direct))

    return {
        name: {
            target
            for target in targets
            if not any(target in reachable(other) for other in targets - {target})
        }
        for name, targets in imports.items()
    }


if __name__ == "__main__":
    sys.exit(main())
