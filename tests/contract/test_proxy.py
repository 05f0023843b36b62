"""The proxy and the containers, as deploy/ and docker-compose.yml have them, fit the service."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from service import __version__
from service.api.upload.upload_reader import MULTIPART_OVERHEAD
from service.host.memory import MEBIBYTE
from service.settings import Settings
from service.settings.setting_names import unknown_variables
from tests.support.nginx import CONFIGURATION
from tests.support.paths import ROOT

DIRECTIVES = re.sub(r"#.*", "", CONFIGURATION.read_text("utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE = [ROOT / "docker-compose.yml", ROOT / "deploy" / "nginx" / "docker-compose.yml"]
GRACE_SECONDS = 5
"""In which the service sends its last answers, after the last deadline."""


@pytest.fixture
def defaults() -> Settings:
    return Settings.model_construct()


def value_of(directive: str) -> str:
    """Return the value of a directive that occurs once outside of locations."""
    matches = re.findall(rf"^ {{4}}{directive} (.+);$", DIRECTIVES, re.MULTILINE)
    assert len(matches) == 1, directive
    return str(matches[0])


def seconds(directive: str) -> int:
    return int(value_of(directive).removesuffix("s"))


def load(path: Path) -> dict[str, Any]:
    return dict(YAML(typ="safe").load(path))


def test_proxy_passes_every_allowed_upload_on(defaults: Settings) -> None:
    largest = defaults.exam_bytes + MULTIPART_OVERHEAD

    passed = int(value_of("client_max_body_size").removesuffix("m")) * MEBIBYTE

    assert largest <= passed <= largest + MEBIBYTE


def test_proxy_outwaits_the_deadline(defaults: Settings) -> None:
    assert seconds("proxy_read_timeout") > defaults.deadline_seconds + GRACE_SECONDS
    assert seconds("proxy_send_timeout") > defaults.deadline_seconds
    assert seconds("client_body_timeout") > defaults.upload_seconds


def test_proxy_closes_idle_connections_first(defaults: Settings) -> None:
    assert seconds("keepalive_timeout") < defaults.keep_alive_seconds


def test_proxy_sets_the_address_and_passes_no_upgrade() -> None:
    headers = dict(re.findall(r"proxy_set_header (\S+) (\S+);", DIRECTIVES))

    assert headers["X-Forwarded-For"] == "$remote_addr"
    assert headers["Connection"] == '""'
    assert "Upgrade" not in headers
    assert "$proxy_add_x_forwarded_for" not in DIRECTIVES


def test_proxy_stores_neither_bodies_nor_answers() -> None:
    assert value_of("proxy_request_buffering") == "off"
    assert value_of("proxy_max_temp_file_size") == "0"


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.parent.name)
def test_containers_have_image_of_this_version(path: Path) -> None:
    service = load(path)["services"]["mammolens"]

    assert service["image"] == f"mammolens:{__version__}"
    assert service["build"]
    assert "healthcheck" not in service  # the image has one
    assert "\nHEALTHCHECK " in DOCKERFILE


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.parent.name)
def test_containers_may_finish_their_requests(path: Path, defaults: Settings) -> None:
    services = load(path)["services"]

    for service in services.values():
        grace = int(service["stop_grace_period"].removesuffix("s"))
        assert grace > defaults.deadline_seconds + GRACE_SECONDS


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.parent.name)
def test_containers_are_read_only_and_unprivileged(path: Path) -> None:
    for service in load(path)["services"].values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["mem_limit"]


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.parent.name)
def test_volumes_are_directories_of_the_image(path: Path) -> None:
    content = load(path)
    mounts = dict(volume.split(":")[:2] for volume in content["services"]["mammolens"]["volumes"])

    assert {"keys", "audit"} == content["volumes"].keys() < mounts.keys()
    assert "-o 10001 -g 10001 /keys /audit" in DOCKERFILE
    assert (mounts["keys"], mounts["audit"]) == ("/keys", "/audit")
    assert all("." not in Path(target).name for target in mounts.values())


def test_proxy_before_the_container_is_trusted() -> None:
    services = load(COMPOSE[1])["services"]
    address = services["nginx"]["networks"]["inside"]["ipv4_address"]

    assert services["mammolens"]["environment"]["MAMMOLENS_TRUSTED_PROXIES"] == address
    assert "ports" not in services["mammolens"]
    assert "MAMMOLENS_ALLOW_ANONYMOUS" not in services["mammolens"]["environment"]
    assert "server mammolens:8000;" in DIRECTIVES


def test_ports_are_quoted() -> None:
    """YAML 1.1 reads some pairs of numbers as one number of base 60."""
    for path in COMPOSE:
        ports = re.findall(r"^ +- (\S*\d+:\d+\S*)$", path.read_text("utf-8"), re.MULTILINE)
        assert ports
        assert all(port.startswith('"') for port in ports if "/" not in port)


@pytest.mark.parametrize("compose", COMPOSE, ids=lambda path: path.parent.name)
def test_containers_name_only_existing_settings(compose: Path) -> None:
    environment = YAML(typ="safe").load(compose)["services"]["mammolens"]["environment"]

    assert not unknown_variables(environment, Settings.model_fields)
