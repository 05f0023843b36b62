"""The access gate. tests/contract/test_access.py tests it over HTTP."""

import asyncio
from pathlib import Path

import pytest

from service.access import AccessGate, AccessScope, KeyFile, Rates, add_key
from service.errors import RateLimited, Unauthenticated


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, str]:
    file = tmp_path / "keys.toml"
    return file, add_key(file, "viewer", {AccessScope.PREDICT})


def test_guessing_keys_is_limited_by_address(keys: tuple[Path, str]) -> None:
    """Another address, and a valid key from the same address, are not affected."""
    file, key = keys
    gate = AccessGate(KeyFile(file), None, Rates(3, clock=lambda: 0.0))

    for made_up in ("mammolens_no", "", "mammolens_neither"):
        with pytest.raises(Unauthenticated):
            asyncio.run(gate.admit(made_up, None, "192.0.2.1"))
    with pytest.raises(RateLimited):
        asyncio.run(gate.admit("mammolens_nor_that", None, "192.0.2.1"))

    with pytest.raises(Unauthenticated):
        asyncio.run(gate.admit("mammolens_no", None, "192.0.2.2"))
    viewer = asyncio.run(gate.admit(key, AccessScope.PREDICT, "192.0.2.1"))
    assert viewer.name == "key:viewer"
