"""Lists of origins, hosts and proxies in settings."""

from typing import Any

import pytest
from pydantic import ValidationError

from service.host.addresses import host_of, networks_of
from service.settings import Settings

GOOD: dict[str, list[str]] = {
    "cors_origins": [
        "https://viewer.example",
        "http://localhost:3000, https://viewer.example:8443",
        "http://[::1]:3000",
        "capacitor://localhost",
    ],
    "allowed_hosts": ["mammolens.example", "localhost,127.0.0.1", "[::1], 2001:db8::1"],
    "trusted_proxies": ["10.0.0.2", "10.0.0.0/24, 2001:db8::/64", "127.0.0.1"],
}
BAD: dict[str, list[str]] = {
    "cors_origins": [
        "*",
        "null",
        "localhost:3000",
        "https://viewer.example/",
        "https://viewer.example/path",
        "https://viewer.example:443",
        "http://viewer.example:80",
        "https://Viewer.example",
        "https://*.viewer.example",
        '["http://a"]',
        "https://user@viewer.example",
        "https://viewer.example https://b.example",
    ],
    "allowed_hosts": ["*", "http://a", "a:8000", "*.example", "a/b", "a b"],
    "trusted_proxies": ["*", "proxy.example", "10.0.0.5/24", "10.0.0.0/33", "10.0.0", "unix:"],
}


@pytest.mark.parametrize(("name", "value"), [(name, v) for name, vs in GOOD.items() for v in vs])
def test_lists_of_the_documented_form_are_accepted(name: str, value: str) -> None:
    settings: dict[str, Any] = {name: value}

    assert getattr(Settings(**settings), name) == value


@pytest.mark.parametrize(("name", "value"), [(name, v) for name, vs in BAD.items() for v in vs])
def test_entry_that_never_matches_is_refused(name: str, value: str) -> None:
    settings: dict[str, Any] = {name: value}

    with pytest.raises(ValidationError) as caught:
        Settings(**settings)

    (fault,) = caught.value.errors()
    assert fault["loc"] == (name,)
    assert "\n" not in fault["msg"]


def test_proxies_are_known_on_sockets_for_both_versions() -> None:
    assert networks_of("10.0.0.2, 10.1.0.0/16, ::1") == (
        "10.0.0.2/32",
        "::ffff:10.0.0.2/128",
        "10.1.0.0/16",
        "::ffff:10.1.0.0/112",
        "::1/128",
    )


@pytest.mark.parametrize(
    ("header", "host"),
    [
        ("A.Example:80", "a.example"),
        ("[::1]:80", "::1"),
        ("a.", "a"),
        ("a:b", None),
        ("a@b", None),
        ("::1", None),
        ("", None),
    ],
)
def test_host_is_told_from_its_port(header: str, host: str | None) -> None:
    assert host_of(header) == host
