"""The dashboard and the alerts in deploy/ use metrics and labels that the service exposes."""

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
"""Labels added by Prometheus."""

RARE: dict[str, set[str]] = {
    "mammolens_refused_total": {"lane", "reason"},
    "mammolens_abandoned_total": {"lane"},
}
"""Metrics without a sample until a request is refused or abandoned."""


def panels() -> Iterator[dict[str, Any]]:
    yield from (panel for panel in DASHBOARD["panels"] if panel["type"] != "row")


def plain(expression: str) -> str:
    """Return the expression with Grafana's variables filled in."""
    return re.sub(r"\$\w+", "any", expression.replace("$__rate_interval", "5m"))


EXPRESSIONS = {
    f"{panel['title']} {target['refId']}": plain(target["expr"])
    for panel in panels()
    for target in panel["targets"]
} | {rule["alert"]: rule["expr"] for rule in ALERTS}


@pytest.fixture(scope="module")
def exposed(client: TestClient, mammogram_png: bytes) -> dict[str, set[str]]:
    """Labels of every sample that the service exposes after one request to each upload route."""
    for route in ("/predict", "/activations/conv2d", "/gradcam"):
        assert client.post(route, files={"file": mammogram_png}).status_code == 200

    labels = {"up": SCRAPED} | RARE
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            labels[sample.name] = labels.get(sample.name, set()) | set(sample.labels)
    return labels


def selectors(expression: str) -> list[promql_parser.VectorSelector]:
    """Return the selectors of an expression: its metrics with their label matchers."""
    collected: list[promql_parser.VectorSelector] = []

    def visit(part: promql_parser.Expr) -> None:
        if isinstance(part, promql_parser.VectorSelector):
            collected.append(part)

    promql_parser.walk(promql_parser.parse(expression), visit)
    return collected


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_expressions_select_exposed_metrics_and_labels(
    name: str, exposed: dict[str, set[str]]
) -> None:
    used = selectors(EXPRESSIONS[name])

    assert used
    for selector in used:
        assert selector.name in exposed

        labels = {matcher.name for matcher in selector.matchers.matchers}
        assert labels <= exposed[str(selector.name)] | SCRAPED, selector.name


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_expressions_group_by_exposed_labels(name: str, exposed: dict[str, set[str]]) -> None:
    used = selectors(EXPRESSIONS[name])
    labels = set[str]().union(*(exposed[str(selector.name)] for selector in used))

    for grouped in re.findall(r"(?:by|on|ignoring) \(([^)]+)\)", EXPRESSIONS[name]):
        assert set(grouped.split(", ")) <= labels | SCRAPED


def test_dashboard_variables_query_exposed_metrics(exposed: dict[str, set[str]]) -> None:
    variables = DASHBOARD["templating"]["list"]
    queries = [variable["query"]["query"] for variable in variables if variable["type"] == "query"]

    for query in queries:
        match = re.fullmatch(r"label_values\((\w+)(?:\{.*\})?, (\w+)\)", query)
        assert match is not None, query

        name, label = match.groups()
        assert label in exposed[name] | SCRAPED


def test_dashboard_and_alerts_cover_every_metric(exposed: dict[str, set[str]]) -> None:
    """The only exception is the metric with the version of the service."""
    ours = {
        re.sub("_(bucket|sum|count|created)$", "", name)
        for name in exposed
        if name.startswith("mammolens_")
    }
    ours -= {name for name in ours if f"{name}_total" in exposed}  # creation times of counters

    used = {
        re.sub("_(bucket|sum|count)$", "", str(selector.name))
        for text in EXPRESSIONS.values()
        for selector in selectors(text)
    }
    assert ours - used == {"mammolens_build_info"}


def test_metrics_are_documented_with_their_labels(exposed: dict[str, set[str]]) -> None:
    page = (ROOT / "docs" / "operation.md").read_text("utf-8")
    section = page.split("## Metrics")[1].split("## Traces")[0]
    rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|", section, re.MULTILINE)
    documented = {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}

    metrics = {
        re.sub("_(bucket|sum|count)$", "", name): labels - {"le"}
        for name, labels in exposed.items()
        if not name.endswith(("_created", "_sum", "_count"))
    }
    assert documented.items() <= metrics.items()
    assert {name for name in metrics if name.startswith("mammolens_")} <= documented.keys()


def test_alerts_have_severity_duration_and_summary() -> None:
    for rule in ALERTS:
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["for"]
        assert rule["annotations"]["summary"].endswith(".")


def test_prometheus_is_shown_how_to_authenticate() -> None:
    lines = (DEPLOY / "prometheus" / "prometheus.yml").read_text("utf-8")
    shown = re.sub(r"# (authorization:|  credentials_file:)", r"\1", lines)

    (job,) = YAML(typ="safe").load(shown)["scrape_configs"]

    assert job["authorization"] == {"credentials_file": "mammolens.key"}


def test_panels_do_not_overlap() -> None:
    """The grid is 24 columns wide."""
    cells = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for at in [panel["gridPos"]]
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]

    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
