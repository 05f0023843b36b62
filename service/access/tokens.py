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
"""Signatures with a private key only: `none` and what could be forged with the public key are not among them."""

_REQUIRED = ["exp", "iss", "aud", "sub"]
_UNREACHABLE = "The keys of the token's provider cannot be fetched."
_SECONDS_TO_ANSWER = 5.0
_SECONDS_BETWEEN_SEARCHES = (
    30.0  # for a key that is not known: made-up ones must not become the provider's load
)
_SECONDS_KEPT = 300.0  # then a key that the provider has withdrawn is honoured no more


class TokenVerifier:
    """Verifies tokens against the provider's published keys, which are fetched when they are first needed.

    `jwks`: where they are; by default where the issuer's discovery document says. All of it blocks: use a thread.
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
        self._kept_until = self._next_search = -math.inf
        self._reachable = True
        self._lock = threading.Lock()

    def verify(self, token: str) -> Caller:
        """Who holds that token.

        Raises:
            Unauthenticated: it is none, has expired, is meant for others, or is not signed by the provider.
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
            raise Unauthenticated("The token is not valid here.") from error
        return Caller.of(f"oidc:{claims['sub']}", _scopes(claims.get("scope", claims.get("scp"))))

    def _key(self, kid: str | None, algorithm: object) -> jwt.PyJWK:
        """The provider's key of that name, for that algorithm: it may be used with several if it does not name one."""
        if (
            not isinstance(algorithm, str) or algorithm not in ALGORITHMS
        ):  # nothing is fetched for such a token
            raise Unauthenticated("The token's algorithm is not taken.")
        key = self._published(kid)
        if key is None:
            raise Unauthenticated(
                "The token is signed with a key that its provider does not publish."
            )
        if key.get("alg", algorithm) != algorithm or key.get("use", "sig") != "sig":
            raise Unauthenticated("The token's key is not meant for this.")
        return jwt.PyJWK(key, algorithm)

    def _published(self, kid: str | None) -> dict[str, Any] | None:
        with self._lock:
            now = self._clock()
            if now < self._kept_until and kid in self._keys:
                return self._keys[kid]
            if now >= self._next_search:
                self._search()
            elif not self._reachable:
                raise KeysUnavailable(_UNREACHABLE)
            return self._keys.get(kid)

    def _search(self) -> None:
        """Fetches the keys anew; where that fails, the next to ask within a second are told so without waiting."""
        try:
            self._keys, self._reachable = self._fetch(), True
        except KeysUnavailable as error:
            self._reachable = False
            self._next_search = self._clock() + error.retry_after
            raise
        now = self._clock()
        self._next_search, self._kept_until = now + _SECONDS_BETWEEN_SEARCHES, now + _SECONDS_KEPT

    def _fetch(self) -> dict[str | None, dict[str, Any]]:
        try:
            return {key.get("kid"): key for key in _get(self._jwks or self._discover())["keys"]}
        except (OSError, HTTPException, ValueError, KeyError, TypeError, AttributeError) as error:
            raise KeysUnavailable(_UNREACHABLE) from error

    def _discover(self) -> str:
        """Where the issuer says that its keys are; its document must be its own (Discovery, section 4.3)."""
        document = _get(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if document["issuer"] != self._issuer:
            raise ValueError("the document of another issuer")
        jwks: str = document["jwks_uri"]
        return jwks


def _scopes(granted: object) -> list[str]:
    """The scopes of a claim: one text with spaces (RFC 8693), or a list; of anything else none."""
    if isinstance(granted, str):
        return granted.split()
    return (
        [scope for scope in granted if isinstance(scope, str)] if isinstance(granted, list) else []
    )


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Whoever may answer for the provider's address must not be able to send us elsewhere for its keys."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Lets the redirect be what it is here: an HTTPError."""


_opener = urllib.request.build_opener(_NoRedirects())


def _get(url: str) -> Any:
    if not is_private(url):
        raise ValueError("neither https nor this machine")
    with _opener.open(url, timeout=_SECONDS_TO_ANSWER) as answer:
        return json.load(answer)
