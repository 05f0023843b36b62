"""Bearer tokens of an OpenID provider (RFC 7519, RFC 8725, RFC 9068)."""

from collections.abc import Mapping
from typing import Any

import jwt

from service.access.callers import Caller
from service.access.provider_keys import ProviderKeys
from service.errors import Unauthenticated

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

# Types in the header (RFC 9068, section 4). Others, such as logout+jwt, are not for access.
_ACCESS_TYPE = "at+jwt"
_TYPES = {"jwt", _ACCESS_TYPE}

# Keycloak names the type in a claim. Its access tokens of before 2024 have a nonce, too.
_KEYCLOAK_ACCESS_TYPES = {"bearer", "dpop"}
_KEYCLOAK_OTHER_TYPES = {"id", "refresh", "offline", "logout"}

# Claims of ID tokens (OpenID Connect Core 1.0, sections 2 and 3.3.2.11).
_ID_CLAIMS = {"nonce", "at_hash", "c_hash"}


class TokenVerifier:
    """Verifies tokens against the provider's published keys.

    `leeway_seconds`: how far the provider's clock may differ.
    """

    def __init__(
        self, issuer: str, audience: str, keys: ProviderKeys, leeway_seconds: float = 0
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys = keys
        self._leeway = leeway_seconds

    async def verify(self, token: str) -> Caller:
        """Return the caller that the token names.

        Raises:
            Unauthenticated: the token is malformed or expired, names another issuer or audience, is
                not for access, or is not signed by the provider.
            KeysUnavailable: the provider's keys cannot be fetched.
        """
        try:
            header = jwt.get_unverified_header(token)
            _require_type(header)
            claims: dict[str, Any] = jwt.decode(
                token,
                await self._key(header.get("kid"), header.get("alg")),
                algorithms=ALGORITHMS,
                audience=self._audience,
                issuer=self._issuer,
                leeway=self._leeway,
                options={"require": _REQUIRED},
            )
        except jwt.PyJWTError as error:
            raise Unauthenticated("The token is invalid.") from error

        _require_access(header, claims)
        scopes = _scopes(claims.get("scope", claims.get("scp")))
        return Caller.of(f"oidc:{claims['sub']}", scopes)

    async def _key(self, kid: str | None, algorithm: object) -> jwt.PyJWK:
        """Return the provider's key with this ID, for use with this algorithm.

        A published key that names no algorithm may be used with each that fits its type.
        """
        # Checked first, so that nothing is fetched for such a token.
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
            raise Unauthenticated("The token's algorithm is not supported.")

        key = await self._keys.find(kid)
        if key is None:
            raise Unauthenticated("The token's key is not published by the provider.")
        if key.get("alg", algorithm) != algorithm or key.get("use", "sig") != "sig":
            raise Unauthenticated("The token's key is published for another use or algorithm.")

        return jwt.PyJWK(dict(key), algorithm)


def _require_type(header: Mapping[str, Any]) -> None:
    """Refuse a token whose header names another type than an access token's, or one of any kind."""
    if _type(header, default="jwt") not in _TYPES:
        raise Unauthenticated("The token's type is not that of an access token.")


def _require_access(header: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    """Refuse an ID token, where it can be told from an access token, and one without a subject."""
    kind = _type(claims, default="")
    is_access = _type(header, default="jwt") == _ACCESS_TYPE or kind in _KEYCLOAK_ACCESS_TYPES

    if kind in _KEYCLOAK_OTHER_TYPES or not (is_access or _ID_CLAIMS.isdisjoint(claims)):
        raise Unauthenticated("The token is not an access token.")
    if not claims["sub"]:
        raise Unauthenticated("The token names no subject.")


def _type(fields: Mapping[str, Any], default: str) -> str:
    """Return the member `typ` in lower case, without the `application/` that it may begin with."""
    return str(fields.get("typ", default)).lower().removeprefix("application/")


def _scopes(claim: object) -> list[str]:
    """Return the scopes of a claim: a string with spaces (RFC 8693) or a list.

    A claim of another type grants none.
    """
    if isinstance(claim, str):
        return claim.split()
    if isinstance(claim, list):
        return [scope for scope in claim if isinstance(scope, str)]
    return []
