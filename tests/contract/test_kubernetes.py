"""The manifests in deploy/kubernetes: valid, and in agreement with the service and its image."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from service.api.app import create_app
from service.host.memory_limit import MemoryLimit
from service.runtime.memory_plan import MemoryPlan
from service.settings import FAKE, Settings
from service.settings.setting_names import variable_of
from tests.support.paths import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
FILES = sorted(path for path in FOLDER.rglob("*.yaml") if path.name != "prometheus-adapter.yaml")
VERSION = "1.31.0"
OWN_SCHEMAS = {"Kustomization", "ServiceMonitor"}
"""Kinds that Kubernetes itself does not know."""

GIBIBYTE = 2**30


def load(path: Path) -> list[dict[str, Any]]:
    documents: list[dict[str, Any]] = [*YAML(typ="safe").load_all(path.read_text("utf-8"))]
    return documents


OBJECTS = [one for path in FILES for one in load(path)]


def only(kind: str) -> dict[str, Any]:
    (one,) = (one for one in OBJECTS if one["kind"] == kind)
    return one


POD = only("Deployment")["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]


@pytest.fixture(scope="module")
def settings() -> Mapping[str, str]:
    """The settings of the manifests."""
    lines = (FOLDER / "base" / "settings.env").read_text("utf-8").split()
    return dict(line.split("=", 1) for line in lines)


@pytest.mark.parametrize(
    "document",
    [one for one in OBJECTS if one["kind"] not in OWN_SCHEMAS],
    ids=lambda one: one["kind"],
)
def test_object_follows_its_schema(document: dict[str, Any]) -> None:
    kubernetes_validate.validate(document, VERSION, strict=True)


@pytest.mark.parametrize("name", ["base", "monitoring"])
def test_kustomization_names_every_file(name: str) -> None:
    (kustomization,) = load(FOLDER / name / "kustomization.yaml")
    named = {Path(resource).name for resource in kustomization["resources"]} - {"base"}

    there = {path.name for path in FILES if path.parent.name == name}
    assert named == there - {"kustomization.yaml"}


def test_selectors_select_the_pods() -> None:
    labels = only("Deployment")["spec"]["template"]["metadata"]["labels"]

    assert only("Deployment")["spec"]["selector"]["matchLabels"] == labels
    assert only("Service")["spec"]["selector"] == labels
    assert only("PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == labels
    assert only("NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == labels
    assert only("ServiceMonitor")["spec"]["selector"]["matchLabels"] == labels
    assert only("Service")["metadata"]["labels"] == labels


def test_settings_exist(settings: Mapping[str, str]) -> None:
    secrets = {one["name"] for one in CONTAINER["env"]}
    known = {variable_of(name, Settings.model_fields) for name in Settings.model_fields}

    assert {*settings, *secrets} <= known


def test_memory_suffices_for_the_settings(settings: Mapping[str, str]) -> None:
    limit = int(CONTAINER["resources"]["limits"]["memory"].removesuffix("Gi")) * GIBIBYTE
    planned = Settings(model=FAKE, readers=int(settings["MAMMOLENS_READERS"]))

    plan = MemoryPlan.make(planned, MemoryLimit(limit, "container"))

    assert plan.readers == int(settings["MAMMOLENS_READERS"])
    assert (
        CONTAINER["resources"]["requests"]["memory"] == CONTAINER["resources"]["limits"]["memory"]
    )


def test_grace_period_covers_requests_in_flight() -> None:
    drain = int(CONTAINER["lifecycle"]["preStop"]["exec"]["command"][1])
    answers = 5

    needed = drain + Settings.model_fields["deadline_seconds"].default + answers
    assert POD["terminationGracePeriodSeconds"] > needed


@pytest.mark.parametrize("probe", ["startupProbe", "readinessProbe", "livenessProbe"])
def test_probe_asks_a_route(probe: str) -> None:
    document = create_app(Settings(model=FAKE)).openapi()

    assert CONTAINER[probe]["httpGet"]["path"] in document["paths"]


def test_container_runs_as_the_user_of_the_image() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    ((user, group),) = re.findall(r"^USER (\d+):(\d+)$", dockerfile, re.MULTILINE)

    assert POD["securityContext"]["runAsUser"] == int(user)
    assert POD["securityContext"]["runAsGroup"] == int(group)


def test_container_has_no_rights_to_spare() -> None:
    context = CONTAINER["securityContext"]

    assert context["readOnlyRootFilesystem"]
    assert not context["allowPrivilegeEscalation"]
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert POD["securityContext"]["runAsNonRoot"]
    assert not POD["automountServiceAccountToken"]


def test_mounts_lie_where_settings_point(settings: Mapping[str, str]) -> None:
    mounts = {one["mountPath"] for one in CONTAINER["volumeMounts"]}
    paths = {
        settings[name] for name in ("MAMMOLENS_MODEL", "MAMMOLENS_KEYS", "MAMMOLENS_AUDIT_LOG")
    }

    assert all(any(path.startswith(mount) for mount in mounts) for path in paths)
    assert {one["name"] for one in CONTAINER["volumeMounts"]} == {
        one["name"] for one in POD["volumes"]
    }


def test_autoscaler_reads_the_metric_of_the_adapter() -> None:
    (adapter,) = load(FOLDER / "monitoring" / "prometheus-adapter.yaml")
    (rule,) = adapter["rules"]["custom"]
    (metric,) = only("HorizontalPodAutoscaler")["spec"]["metrics"]

    assert metric["pods"]["metric"]["name"] == rule["name"]["as"]
    assert rule["name"]["as"] in rule["name"].values()
