"""Tokens of a provider whose keys are as a test says; tests/contract/test_access.py has them over HTTP."""

import json
import re
import time
from io import BytesIO
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from service.access import AccessScope, TokenVerifier, tokens
from service.errors import KeysUnavailable, Unauthenticated

ISSUER = "https://login.example"
RSA, EC = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())
OKP = ed25519.Ed25519PrivateKey.generate()


def published(algorithm: str, key: Any, **more: str) -> dict[str, Any]:
    jwk: dict[str, Any] = json.loads(jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key()))
    return jwk | more


class Provider:
    """What answers in the network's place: the documents of a provider, or a refused connection."""

    def __init__(self) -> None:
        self.keys: Any = [
            published("RS256", RSA, kid="rsa"),
            published("ES256", EC, kid="ec"),
            published("EdDSA", OKP, kid="okp"),
            published("RS256", RSA, kid="bound", alg="RS256"),
            published("RS256", RSA, kid="enc", use="enc"),
            {"kty": "oct", "k": "c2VjcmV0" * 8, "kid": "oct"},
        ]
        self.document = {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}
        self.reachable = True
        self.asked = 0
        self.now = 0.0

    def open(self, url: str, timeout: float) -> BytesIO:
        self.asked += 1
        assert timeout > 0
        if not self.reachable:
            raise ConnectionRefusedError
        discovery = url.endswith("/.well-known/openid-configuration")
        return BytesIO(json.dumps(self.document if discovery else {"keys": self.keys}).encode())


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    found = Provider()
    monkeypatch.setattr(tokens, "_opener", found)
    return found


@pytest.fixture
def verifier(provider: Provider) -> TokenVerifier:
    return TokenVerifier(ISSUER, "mammolens", clock=lambda: provider.now)


def token(key: Any = RSA, algorithm: str = "RS256", kid: str = "rsa", **more: Any) -> str:
    claims = {"iss": ISSUER, "aud": "mammolens", "sub": "jane", "exp": time.time() + 60} | more
    return jwt.encode(claims, key, algorithm, headers={"kid": kid})


@pytest.mark.parametrize(
    ("key", "algorithm", "kid"),
    [(RSA, name, "rsa") for name in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")]
    + [(EC, "ES256", "ec"), (OKP, "EdDSA", "okp"), (RSA, "RS256", "bound")],
)
def test_every_algorithm_that_the_key_allows_is_taken(
    verifier: TokenVerifier, key: Any, algorithm: str, kid: str
) -> None:
    assert verifier.verify(token(key, algorithm, kid)).name == "oidc:jane"


@pytest.mark.parametrize(
    ("key", "algorithm", "kid"),
    [
        (RSA, "PS256", "bound"),
        (RSA, "RS256", "enc"),
        (RSA, "RS256", "ec"),
        (EC, "ES256", "rsa"),
        (RSA, "RS256", "oct"),
        ("secret" * 8, "HS256", "oct"),
    ],
)
def test_a_key_is_used_for_nothing_but_what_it_is_published_for(
    verifier: TokenVerifier, key: Any, algorithm: str, kid: str
) -> None:
    with pytest.raises(Unauthenticated):
        verifier.verify(token(key, algorithm, kid))


@pytest.mark.parametrize("granted", [3, None, {"predict": 1}, [["predict"], 3], True])
def test_a_claim_of_scopes_that_is_none_grants_nothing(
    verifier: TokenVerifier, granted: Any
) -> None:
    assert verifier.verify(token(scope=granted)).scopes == frozenset()


def test_scopes_come_as_a_text_or_as_a_list(verifier: TokenVerifier) -> None:
    for claims in ({"scope": "openid predict"}, {"scp": ["openid", "predict"]}):
        assert verifier.verify(token(**claims)).scopes == {AccessScope.PREDICT}


def test_a_subject_cannot_begin_a_line_of_its_own_in_the_log(verifier: TokenVerifier) -> None:
    assert re.fullmatch(
        "oidc:jane[?]{3}doe~[0-9a-f]{16}", verifier.verify(token(sub="jane\r\n\u202edoe")).name
    )


def test_long_subjects_that_differ_are_different_callers(verifier: TokenVerifier) -> None:
    one, other = (verifier.verify(token(sub="j" * 500 + end)).name for end in "ab")
    assert len(one) == len(other) == 64
    assert one != other


def test_the_discovery_document_of_another_issuer_is_not_believed(
    provider: Provider, verifier: TokenVerifier
) -> None:
    provider.document["issuer"] = f"{ISSUER}/other"
    with pytest.raises(KeysUnavailable):
        verifier.verify(token())


@pytest.mark.parametrize(
    "elsewhere", ["http://login.example/keys", "file:///etc/keys", "ftp://login.example/keys"]
)
def test_keys_are_not_fetched_where_anyone_could_change_them(
    provider: Provider, verifier: TokenVerifier, elsewhere: str
) -> None:
    provider.document["jwks_uri"] = elsewhere
    with pytest.raises(KeysUnavailable):
        verifier.verify(token())
    assert provider.asked == 1


def test_a_withdrawn_key_is_refused_after_five_minutes(
    provider: Provider, verifier: TokenVerifier
) -> None:
    signed = token()
    verifier.verify(signed)
    provider.keys = []
    provider.now = 299
    verifier.verify(signed)
    provider.now = 301
    with pytest.raises(Unauthenticated):
        verifier.verify(signed)


def test_a_new_key_is_found_and_made_up_ones_are_not_looked_for_each_time(
    provider: Provider, verifier: TokenVerifier
) -> None:
    verifier.verify(token())
    for number in range(20):
        with pytest.raises(Unauthenticated):
            verifier.verify(token(kid=f"made-up-{number}"))
    assert provider.asked == 2  # the discovery document and the keys, once
    provider.keys = [*provider.keys, published("RS256", RSA, kid="new")]
    provider.now = 31
    assert verifier.verify(token(kid="new")).name == "oidc:jane"
    assert provider.asked == 4


def test_a_provider_that_cannot_be_reached_is_asked_once_a_second_and_then_found_again(
    provider: Provider, verifier: TokenVerifier
) -> None:
    provider.reachable = False
    for _ in range(20):
        with pytest.raises(KeysUnavailable):
            verifier.verify(token())
    assert provider.asked == 1
    provider.reachable, provider.now = True, 1.0
    assert verifier.verify(token()).name == "oidc:jane"


def test_while_a_search_fails_known_keys_go_on(provider: Provider, verifier: TokenVerifier) -> None:
    verifier.verify(token())
    provider.reachable, provider.now = False, 31
    with pytest.raises(KeysUnavailable):
        verifier.verify(token(kid="made-up"))
    assert verifier.verify(token()).name == "oidc:jane"


def test_a_token_of_another_algorithm_makes_nobody_ask_the_provider(
    provider: Provider, verifier: TokenVerifier
) -> None:
    for algorithm, key in (("HS256", "a" * 32), ("none", "")):
        with pytest.raises(Unauthenticated):
            verifier.verify(token(key, algorithm))
    assert provider.asked == 0


@pytest.mark.parametrize("keys", [3, None, ["a"], [[]], [{"kid": []}]])
def test_what_is_no_list_of_keys_is_the_providers_fault(
    provider: Provider, verifier: TokenVerifier, keys: Any
) -> None:
    provider.keys = keys
    with pytest.raises(KeysUnavailable):
        verifier.verify(token())


@pytest.mark.parametrize("damaged", [{"n": "!"}, {"n": ""}, {"n": 3}, {"kty": None}, {"e": None}])
def test_a_damaged_key_among_the_published_ones_lets_nobody_in(
    provider: Provider, verifier: TokenVerifier, damaged: dict[str, Any]
) -> None:
    provider.keys = [published("RS256", RSA, kid="rsa") | damaged]
    with pytest.raises((Unauthenticated, KeysUnavailable)):
        verifier.verify(token())
