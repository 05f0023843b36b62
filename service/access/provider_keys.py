"""Keys that an OpenID provider publishes, fetched when they are needed and cached.

OpenID Connect Discovery 1.0, RFC 7517. A provider that is slow, silent or hostile costs the calls
that need a new key some seconds, and all others nothing.
"""

import asyncio
import json
import logging
import math
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from service.errors import KeysUnavailable
from service.host.addresses import is_private

_log = logging.getLogger("mammolens")

_FETCH_SECONDS = 5.0  # for both documents, from the first byte to the last
_MAX_BYTES = 1024 * 1024  # of each

# Tokens with made-up key IDs must not put load on the provider.
_MIN_FETCH_INTERVAL_SECONDS = 30.0
_RETRY_SECONDS = 1.0

# After this time a key that the provider has withdrawn is no longer accepted. The keys are fetched
# again a little earlier, so that no call has to wait for them.
_CACHE_SECONDS = 300.0
_RENEWAL_SECONDS = 240.0

# ImportError: a proxy in the environment needs a package that is not installed.
_FAULTS = (
    httpx.HTTPError,
    httpx.InvalidURL,
    ImportError,
    OSError,
    RecursionError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
)

_PublishedKeys = Mapping[str | None, Mapping[str, Any]]


class ProviderKeys:
    """Published keys of one provider, by their ID.

    `jwks` is the address of the keys. By default it is taken from the issuer's discovery document.
    """

    def __init__(
        self, issuer: str, jwks: str | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._issuer = issuer
        self._jwks = jwks
        self._clock = clock
        self._trust = ssl.create_default_context()  # the certificates of the system, as urllib's
        self._keys: _PublishedKeys = {}
        self._cached_until = -math.inf
        self._renewed_from = -math.inf
        self._next_fetch = -math.inf
        self._is_reachable = True
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, kid: str | None) -> Mapping[str, Any] | None:
        """Return the key with this ID, or None if the provider does not publish it.

        A cached key is returned at once. For another one the keys are fetched, unless they have
        just been. All calls wait for the same fetch.

        Raises:
            KeysUnavailable: the keys cannot be fetched.
        """
        now = self._clock()
        cached = self._keys.get(kid) if now < self._cached_until else None
        if cached is None or now >= self._renewed_from:
            self._begin_fetch(now)
        if cached is not None:
            return cached

        if self._fetching is not None and not self._fetching.done():
            await asyncio.shield(self._fetching)
        if not self._is_reachable:
            raise KeysUnavailable("The keys of the token's provider cannot be fetched.")
        return self._keys.get(kid)

    def _begin_fetch(self, now: float) -> None:
        is_fetching = self._fetching is not None and not self._fetching.done()
        if not is_fetching and now >= self._next_fetch:
            self._fetching = asyncio.create_task(self._renew())

    async def _renew(self) -> None:
        """Fetch the keys.

        If that fails, calls within the next second fail at once instead of waiting for the
        provider.
        """
        try:
            async with asyncio.timeout(_FETCH_SECONDS):
                self._keys = await self._fetch()
        except _FAULTS as error:
            _log.warning("the token provider's keys cannot be fetched: %s", _kinds(error))
            self._is_reachable = False
            self._next_fetch = self._clock() + _RETRY_SECONDS
            return

        now = self._clock()
        self._is_reachable = True
        self._next_fetch = now + _MIN_FETCH_INTERVAL_SECONDS
        self._renewed_from = now + _RENEWAL_SECONDS
        self._cached_until = now + _CACHE_SECONDS

    async def _fetch(self) -> _PublishedKeys:
        jwks = self._jwks
        if jwks is None:
            jwks = await self._discover()

        document = await self._get_json(jwks)
        return {key.get("kid"): key for key in document["keys"]}

    async def _discover(self) -> str:
        """Return the address of the keys from the issuer's discovery document.

        The document must name this issuer (OpenID Connect Discovery 1.0, section 4.3).
        """
        url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        document = await self._get_json(url)
        if document["issuer"] != self._issuer:
            raise ValueError("the document of another issuer")

        jwks: str = document["jwks_uri"]
        return jwks

    async def _get_json(self, url: str) -> Any:
        """Return the document at the address. Redirects are not followed."""
        if not is_private(url):
            raise ValueError("neither https nor this machine")

        # Proxies of the environment are for https alone: a proxy's loopback is another machine.
        # Compressed, a small body could be a large one.
        use_proxies = urlsplit(url).scheme == "https"
        plain = {"Accept-Encoding": "identity"}
        async with (
            httpx.AsyncClient(verify=self._trust, trust_env=use_proxies) as client,
            client.stream("GET", url, headers=plain) as response,
        ):
            response.raise_for_status()
            content = bytearray()
            async for chunk in response.aiter_raw():
                content += chunk
                if len(content) > _MAX_BYTES:
                    raise ValueError("too large")

        return json.loads(content)


def _kinds(error: BaseException) -> str:
    """Return the type of an error and those of its causes. Their messages could quote a body."""
    kinds = [type(error).__name__]
    while cause := error.__cause__ or error.__context__:
        kinds.append(type(cause).__name__)
        error = cause
    return " from ".join(kinds)
