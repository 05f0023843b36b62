"""Bearer tokens of an OpenID provider (RFC 7519, RFC 8725; OpenID Connect Discovery 1.0)."""

import json
import math
import threading
import time
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from typing import Any

import jwt

from service.access.callers import Caller
from service.errors import KeysUnavailable, Unauthenticated
from service.host.addresses import is_private

ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
)
"""Signature algorithms that are accepted, all of them asymmetric.

`none` needs no key, and a symmetric signature could be forged with the public key.
"""

_REQUIRED = ["exp", "iss", "aud", "sub"]
_UNREACHABLE = "The keys of the token's provider cannot be fetched."
_TIMEOUT_SECONDS = 5.0

# Tokens with made-up key IDs must not put load on the provider.
_MIN_FETCH_INTERVAL_SECONDS = 30.0

# After this time a key that the provider has withdrawn is no longer accepted.
_CACHE_SECONDS = 300.0


class TokenVerifier:
    """Verifies tokens against the provider's published keys, which are fetched on first use.

    `jwks` is the address of the keys. By default it is taken from the issuer's discovery document.
    `verify` may block on the network, so call it in a thread.
    """

    def __init__(
        self,
        issuer: str,
        audience: str,
        jwks: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._jwks = jwks
        self._clock = clock
        self._keys: dict[str | None, dict[str, Any]] = {}
        self._cached_until = -math.inf
        self._next_fetch = -math.inf
        self._reachable = True
        self._lock = threading.Lock()

    def verify(self, token: str) -> Caller:
        """Return the caller that the token names.

        Raises:
            Unauthenticated: the token is malformed or expired, names another issuer or audience, or
                is not signed by the provider.
            KeysUnavailable: the provider's keys cannot be fetched.
        """
        try:
            header = jwt.get_unverified_header(token)
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key(header.get("kid"), header.get("alg")),
                algorithms=ALGORITHMS,
                audience=self._audience,
                issuer=self._issuer,
                options={"require": _REQUIRED},
            )
        except jwt.PyJWTError as error:
            raise Unauthenticated("The token is invalid.") from error

        scopes = _scopes(claims.get("scope", claims.get("scp")))
        return Caller.of(f"oidc:{claims['sub']}", scopes)

    def _key(self, kid: str | None, algorithm: object) -> jwt.PyJWK:
        """Return the provider's key with this ID, for use with this algorithm.

        A published key that names no algorithm may be used with each that fits its type.
        """
        # Checked first, so that nothing is fetched for such a token.
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
            raise Unauthenticated("The token's algorithm is not supported.")

        key = self._published_key(kid)
        if key is None:
            raise Unauthenticated("The token's key is not published by the provider.")
        if key.get("alg", algorithm) != algorithm or key.get("use", "sig") != "sig":
            raise Unauthenticated("The token's key is published for another use or algorithm.")

        return jwt.PyJWK(key, algorithm)

    def _published_key(self, kid: str | None) -> dict[str, Any] | None:
        """Return the key with this ID from the cache, which is refreshed if necessary."""
        with self._lock:
            now = self._clock()
            if now < self._cached_until and kid in self._keys:
                return self._keys[kid]

            if now >= self._next_fetch:
                self._refresh()
            elif not self._reachable:
                raise KeysUnavailable(_UNREACHABLE)

            return self._keys.get(kid)

    def _refresh(self) -> None:
        """Fetch the keys again.

        If that fails, calls within the next second fail at once instead of waiting for the
        provider.
        """
        try:
            self._keys = self._fetch()
        except KeysUnavailable as error:
            self._reachable = False
            self._next_fetch = self._clock() + error.retry_after
            raise

        self._reachable = True
        now = self._clock()
        self._next_fetch = now + _MIN_FETCH_INTERVAL_SECONDS
        self._cached_until = now + _CACHE_SECONDS

    def _fetch(self) -> dict[str | None, dict[str, Any]]:
        try:
            document = _get_json(self._jwks or self._discover())
            return {key.get("kid"): key for key in document["keys"]}
        except (OSError, HTTPException, ValueError, KeyError, TypeError, AttributeError) as error:
            raise KeysUnavailable(_UNREACHABLE) from error

    def _discover(self) -> str:
        """Return the address of the keys from the issuer's discovery document.

        The document must name this issuer (OpenID Connect Discovery 1.0, section 4.3).
        """
        document = _get_json(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if document["issuer"] != self._issuer:
            raise ValueError("the document of another issuer")

        jwks: str = document["jwks_uri"]
        return jwks


def _scopes(claim: object) -> list[str]:
    """Return the scopes of a claim: a string with spaces (RFC 8693) or a list.

    A claim of another type grants none.
    """
    if isinstance(claim, str):
        return claim.split()
    if isinstance(claim, list):
        return [scope for scope in claim if isinstance(scope, str)]
    return []


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Handler that follows no redirects, so that the keys come from the configured host only."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Refuse the redirect. The opener then raises an HTTPError."""


_opener = urllib.request.build_opener(_NoRedirects())


def _get_json(url: str) -> Any:
    if not is_private(url):
        raise ValueError("neither https nor this machine")

    with _opener.open(url, timeout=_TIMEOUT_SECONDS) as response:
        return json.load(response)
