"""What deploy/ asks of the metrics is what the service answers."""

import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from tests.support.paths import ROOT

DEPLOY = ROOT / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana" / "mammolens.json").read_text("utf-8"))
GROUPS = YAML(typ="safe").load(DEPLOY / "prometheus" / "alerts.yml")["groups"]
ALERTS = [rule for group in GROUPS for rule in group["rules"]]
SCRAPED = {"job", "instance"}
"""Labels that Prometheus adds."""

RARE: dict[str, set[str]] = {
    "mammolens_refused_total": {"lane", "reason"},
    "mammolens_abandoned_total": {"lane"},
}
"""Metrics that have no sample until something has gone wrong."""


def panels() -> Iterator[dict[str, Any]]:
    yield from (panel for panel in DASHBOARD["panels"] if panel["type"] != "row")


def plain(expression: str) -> str:
    """The expression with Grafana's variables filled in."""
    return re.sub(r"\$\w+", "any", expression.replace("$__rate_interval", "5m"))


EXPRESSIONS = {
    f"{panel['title']} {target['refId']}": plain(target["expr"])
    for panel in panels()
    for target in panel["targets"]
} | {rule["alert"]: rule["expr"] for rule in ALERTS}


@pytest.fixture(scope="module")
def exposed(client: TestClient, mammogram_png: bytes) -> dict[str, set[str]]:
    """The labels of every sample that the service exposes once every route was asked."""
    for route in ("/predict", "/activations/conv2d", "/gradcam"):
        assert client.post(route, files={"file": mammogram_png}).status_code == 200
    found = {"up": SCRAPED} | RARE
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, set()) | set(sample.labels)
    return found


def selectors(expression: str) -> list[promql_parser.VectorSelector]:
    found: list[promql_parser.VectorSelector] = []

    def visit(part: promql_parser.Expr) -> None:
        if isinstance(part, promql_parser.VectorSelector):
            found.append(part)

    promql_parser.walk(promql_parser.parse(expression), visit)
    return found


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_every_expression_asks_for_metrics_and_labels_that_are_exposed(
    name: str, exposed: dict[str, set[str]]
) -> None:
    asked = selectors(EXPRESSIONS[name])
    assert asked
    for selector in asked:
        assert selector.name in exposed
        labels = {matcher.name for matcher in selector.matchers.matchers}
        assert labels <= exposed[str(selector.name)] | SCRAPED, selector.name


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_every_expression_groups_by_labels_that_its_metrics_have(
    name: str, exposed: dict[str, set[str]]
) -> None:
    labels = set[str]().union(
        *(exposed[str(selector.name)] for selector in selectors(EXPRESSIONS[name]))
    )
    for grouped in re.findall(r"(?:by|on|ignoring) \(([^)]+)\)", EXPRESSIONS[name]):
        assert set(grouped.split(", ")) <= labels | SCRAPED


def test_the_dashboard_s_own_queries_ask_for_metrics_that_are_exposed(
    exposed: dict[str, set[str]],
) -> None:
    queries = [
        each["query"]["query"]
        for each in DASHBOARD["templating"]["list"]
        if each["type"] == "query"
    ]
    for query in queries:
        (name, label) = re.fullmatch(r"label_values\((\w+)(?:\{.*\})?, (\w+)\)", query).groups()  # type: ignore[union-attr]
        assert label in exposed[name] | SCRAPED


def test_every_metric_of_the_service_is_shown_or_watched_or_says_what_runs(
    exposed: dict[str, set[str]],
) -> None:
    ours = {
        re.sub("_(bucket|sum|count|created)$", "", name)
        for name in exposed
        if name.startswith("mammolens_")
    }
    used = {
        re.sub("_(bucket|sum|count)$", "", str(s.name))
        for text in EXPRESSIONS.values()
        for s in selectors(text)
    }
    ours -= {name for name in ours if f"{name}_total" in exposed}  # when a counter was created
    assert ours - used == {"mammolens_build_info"}


def test_every_metric_of_the_service_is_documented_with_its_labels(
    exposed: dict[str, set[str]],
) -> None:
    page = (
        (DEPLOY.parent / "docs" / "operation.md")
        .read_text("utf-8")
        .split("## Metrics")[1]
        .split("## Traces")[0]
    )
    rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|", page, re.MULTILINE)
    documented = {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}
    found = {
        re.sub("_(bucket|sum|count)$", "", name): labels - {"le"}
        for name, labels in exposed.items()
        if not name.endswith(("_created", "_sum", "_count"))
    }
    assert documented.items() <= found.items()
    assert {name for name in found if name.startswith("mammolens_")} <= documented.keys()


def test_every_alert_has_a_severity_a_duration_and_says_what_is_wrong() -> None:
    for rule in ALERTS:
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["for"]
        assert rule["annotations"]["summary"].endswith(".")


def test_panels_do_not_overlap() -> None:
    cells = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for at in [panel["gridPos"]]
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
