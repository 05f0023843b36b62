"""The InferenceService in deploy/kserve: a valid pod, and the one of deploy/kubernetes."""

from typing import Any

import kubernetes_validate
from ruamel.yaml import YAML

from tests.contract.test_kubernetes import CONTAINER as DEPLOYED
from tests.contract.test_kubernetes import FOLDER, POD, VERSION, only
from tests.support.paths import ROOT

FILE = ROOT / "deploy" / "kserve" / "inference-service.yaml"
SERVICE: dict[str, Any] = YAML(typ="safe").load(FILE.read_text("utf-8"))
PREDICTOR: dict[str, Any] = SERVICE["spec"]["predictor"]
(CONTAINER,) = PREDICTOR["containers"]
OF_KSERVE = {"minReplicas", "maxReplicas", "scaleMetric", "scaleTarget", "timeout"}
"""Members of a predictor that are none of a pod."""
HEALTH = {"/readyz": "/v2/health/ready", "/livez": "/v2/health/live"}


def test_predictor_is_a_valid_pod() -> None:
    spec = {name: value for name, value in PREDICTOR.items() if name not in OF_KSERVE}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": spec}

    kubernetes_validate.validate(pod, VERSION, strict=True)


def test_pod_is_that_of_the_deployment() -> None:
    shared = POD.keys() & PREDICTOR.keys() - {"containers"}

    assert {"securityContext", "terminationGracePeriodSeconds", "volumes"} <= shared
    assert {name: PREDICTOR[name] for name in shared} == {name: POD[name] for name in shared}
    for name in ("resources", "lifecycle", "securityContext", "volumeMounts", "image"):
        assert CONTAINER[name] == DEPLOYED[name], name


def test_settings_are_those_of_the_deployment() -> None:
    lines = (FOLDER / "base" / "settings.env").read_text("utf-8").split()
    values = {one["name"]: one["value"] for one in CONTAINER["env"] if "value" in one}
    secrets = [one for one in CONTAINER["env"] if "value" not in one]

    assert values == dict(line.split("=", 1) for line in lines)
    assert secrets == DEPLOYED["env"]


def test_probes_ask_the_protocol() -> None:
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = CONTAINER[name]["httpGet"]
        deployed = DEPLOYED[name]["httpGet"]

        assert asked == {"path": HEALTH[deployed["path"]], "port": 8000}
        assert {**CONTAINER[name], "httpGet": deployed} == DEPLOYED[name]


def test_label_is_the_one_policies_select() -> None:
    selected = only("NetworkPolicy")["spec"]["podSelector"]["matchLabels"]

    assert selected.items() <= SERVICE["metadata"]["labels"].items()
