"""Proxies before the service: no body is taken for a request, and every answer is the right one."""

from pathlib import Path

import pytest

from benchmarks.proxies import HOSTS, PROXIES
from benchmarks.smuggling import SmugglingCount, attack, front
from tests.support.raw_http import address_of
from tests.support.servers import running

pytestmark = pytest.mark.interop


@pytest.mark.parametrize("proxy", PROXIES)
def test_body_is_no_request_behind_a_proxy(proxy: str, tmp_path: Path) -> None:
    log = tmp_path / "service.log"

    with log.open("wb") as stream, running(stream, MAMMOLENS_ALLOWED_HOSTS=HOSTS) as server:
        _, service = address_of(server.address)
        with front(proxy, service, tmp_path) as port:
            count = attack(port, log, tries=24)

    assert count == SmugglingCount(tries=24)
