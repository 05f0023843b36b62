"""Who may ask, and how often may be tried; tests/contract/test_access.py has the same over HTTP."""

import asyncio
from pathlib import Path

import pytest

from service.access import AccessGate, AccessScope, KeyFile, Rates, add_key
from service.errors import RateLimited, Unauthenticated


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, str]:
    file = tmp_path / "keys.toml"
    return file, add_key(file, "viewer", {AccessScope.PREDICT})


def test_keys_are_tried_no_more_often_than_callers_may_ask(keys: tuple[Path, str]) -> None:
    file, key = keys
    access = AccessGate(KeyFile(file), None, Rates(3, clock=lambda: 0.0))
    for made_up in ("mammolens_no", "", "mammolens_neither"):
        with pytest.raises(Unauthenticated):
            asyncio.run(access.admit(made_up, None, "192.0.2.1"))
    with pytest.raises(RateLimited):
        asyncio.run(access.admit("mammolens_nor_that", None, "192.0.2.1"))
    with pytest.raises(Unauthenticated):
        asyncio.run(access.admit("mammolens_no", None, "192.0.2.2"))
    assert (
        asyncio.run(access.admit(key, AccessScope.PREDICT, "192.0.2.1")).name == "key:viewer"
    )  # not barred by others' tries
