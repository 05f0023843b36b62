"""Bearer tokens of an OpenID provider (RFC 7519, RFC 8725; OpenID Connect Discovery 1.0)."""

import json
import threading
import time
import urllib.request
from http.client import HTTPException
from typing import Any

import jwt

from service.access.callers import Caller
from service.errors import KeysUnavailable, Unauthenticated

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures with a private key only: `none` and what could be forged with the public key are not among them."""

_REQUIRED = ["exp", "iss", "aud", "sub"]
_SECONDS_TO_ANSWER = 5.0
_SECONDS_BETWEEN_SEARCHES = 30.0  # for a key that is not known: made-up ones must not become the provider's load


class TokenVerifier:
    """Verifies tokens against the provider's published keys, which are fetched when they are first needed.

    `jwks`: where they are; by default where the issuer's discovery document says. All of it blocks: use a thread.
    """

    def __init__(self, issuer: str, audience: str, jwks: str | None = None) -> None:
        self._issuer = issuer
        self._audience = audience
        self._jwks = jwks
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._searched = -_SECONDS_BETWEEN_SEARCHES
        self._lock = threading.Lock()

    def verify(self, token: str) -> Caller:
        """Who holds that token.

        Raises:
            Unauthenticated: it is none, has expired, is meant for others, or is not signed by the provider.
            KeysUnavailable: the provider's keys cannot be fetched.
        """
        try:
            key = self._key(jwt.get_unverified_header(token).get("kid"))
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=self._audience,
                issuer=self._issuer,
                options={"require": _REQUIRED},
            )
        except jwt.PyJWTError as error:
            raise Unauthenticated("The token is not valid here.") from error
        granted = claims.get("scope", claims.get("scp", ""))
        return Caller.of(f"oidc:{claims['sub']}", granted.split() if isinstance(granted, str) else map(str, granted))

    def _key(self, kid: str | None) -> jwt.PyJWK:
        with self._lock:
            if kid not in self._keys and time.monotonic() - self._searched >= _SECONDS_BETWEEN_SEARCHES:
                self._keys = self._fetch()
                self._searched = time.monotonic()
        if kid not in self._keys:
            raise Unauthenticated("The token is signed with a key that its provider does not publish.")
        return self._keys[kid]

    def _fetch(self) -> dict[str | None, jwt.PyJWK]:
        try:
            jwks = self._jwks or _get(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")["jwks_uri"]
            return {key.key_id: key for key in jwt.PyJWKSet.from_dict(_get(jwks)).keys}
        except (OSError, HTTPException, ValueError, KeyError, jwt.PyJWTError) as error:
            raise KeysUnavailable("The keys of the token's provider cannot be fetched.") from error


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=_SECONDS_TO_ANSWER) as answer:  # noqa: S310 - http(s), see the settings
        return json.load(answer)
