"""Bearer tokens of a fake OpenID provider. tests/contract/test_access.py tests them over HTTP."""

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
RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
OKP = ed25519.Ed25519PrivateKey.generate()


def published(algorithm: str, key: Any, **more: str) -> dict[str, Any]:
    """Return the public key as an entry of a JSON Web Key Set."""
    jwk: dict[str, Any] = json.loads(jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key()))
    return jwk | more


class FakeProvider:
    """Stands in for the network: answers with a provider's documents, or refuses the connection."""

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
        self.requests = 0
        self.now = 0.0

    def open(self, url: str, timeout: float) -> BytesIO:
        self.requests += 1
        assert timeout > 0
        if not self.reachable:
            raise ConnectionRefusedError

        discovery = url.endswith("/.well-known/openid-configuration")
        return BytesIO(json.dumps(self.document if discovery else {"keys": self.keys}).encode())


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> FakeProvider:
    fake = FakeProvider()
    monkeypatch.setattr(tokens, "_opener", fake)
    return fake


@pytest.fixture
def verifier(provider: FakeProvider) -> TokenVerifier:
    return TokenVerifier(ISSUER, "mammolens", clock=lambda: provider.now)


def token(key: Any = RSA, algorithm: str = "RS256", kid: str = "rsa", **more: Any) -> str:
    """Return a signed token, valid for a minute. `more` adds or replaces claims."""
    claims = {"iss": ISSUER, "aud": "mammolens", "sub": "jane", "exp": time.time() + 60} | more
    return jwt.encode(claims, key, algorithm, headers={"kid": kid})


@pytest.mark.parametrize(
    ("key", "algorithm", "kid"),
    [(RSA, name, "rsa") for name in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")]
    + [(EC, "ES256", "ec"), (OKP, "EdDSA", "okp"), (RSA, "RS256", "bound")],
)
def test_every_algorithm_of_the_key_is_accepted(
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
def test_key_is_refused_beyond_its_published_purpose(
    verifier: TokenVerifier, key: Any, algorithm: str, kid: str
) -> None:
    with pytest.raises(Unauthenticated):
        verifier.verify(token(key, algorithm, kid))


@pytest.mark.parametrize("granted", [3, None, {"predict": 1}, [["predict"], 3], True])
def test_malformed_scope_claim_grants_nothing(verifier: TokenVerifier, granted: Any) -> None:
    assert verifier.verify(token(scope=granted)).scopes == frozenset()


def test_scopes_may_be_string_or_list(verifier: TokenVerifier) -> None:
    for claims in ({"scope": "openid predict"}, {"scp": ["openid", "predict"]}):
        assert verifier.verify(token(**claims)).scopes == {AccessScope.PREDICT}


def test_subject_cannot_inject_log_lines(verifier: TokenVerifier) -> None:
    caller = verifier.verify(token(sub="jane\r\n\u202edoe"))

    assert re.fullmatch("oidc:jane[?]{3}doe~[0-9a-f]{16}", caller.name)


def test_long_subjects_stay_distinct_callers(verifier: TokenVerifier) -> None:
    one, other = (verifier.verify(token(sub="j" * 500 + end)).name for end in "ab")

    assert len(one) == len(other) == 64
    assert one != other


def test_discovery_document_of_another_issuer_is_refused(
    provider: FakeProvider, verifier: TokenVerifier
) -> None:
    provider.document["issuer"] = f"{ISSUER}/other"

    with pytest.raises(KeysUnavailable):
        verifier.verify(token())


@pytest.mark.parametrize(
    "address", ["http://login.example/keys", "file:///etc/keys", "ftp://login.example/keys"]
)
def test_keys_are_fetched_over_https_only(
    provider: FakeProvider, verifier: TokenVerifier, address: str
) -> None:
    """No request is made to the address. Only the discovery document is fetched."""
    provider.document["jwks_uri"] = address

    with pytest.raises(KeysUnavailable):
        verifier.verify(token())

    assert provider.requests == 1


def test_withdrawn_key_is_refused_after_five_minutes(
    provider: FakeProvider, verifier: TokenVerifier
) -> None:
    signed = token()
    verifier.verify(signed)
    provider.keys = []

    provider.now = 299
    verifier.verify(signed)

    provider.now = 301
    with pytest.raises(Unauthenticated):
        verifier.verify(signed)


def test_made_up_keys_cause_few_fetches(provider: FakeProvider, verifier: TokenVerifier) -> None:
    """The keys are fetched again after 30 seconds, and a new key is then accepted."""
    verifier.verify(token())

    for number in range(20):
        with pytest.raises(Unauthenticated):
            verifier.verify(token(kid=f"made-up-{number}"))
    assert provider.requests == 2  # the discovery document and the keys, once

    provider.keys = [*provider.keys, published("RS256", RSA, kid="new")]
    provider.now = 31

    assert verifier.verify(token(kid="new")).name == "oidc:jane"
    assert provider.requests == 4


def test_unreachable_provider_is_retried_once_a_second(
    provider: FakeProvider, verifier: TokenVerifier
) -> None:
    provider.reachable = False

    for _ in range(20):
        with pytest.raises(KeysUnavailable):
            verifier.verify(token())
    assert provider.requests == 1

    provider.reachable = True
    provider.now = 1.0
    assert verifier.verify(token()).name == "oidc:jane"


def test_cached_keys_survive_a_failed_fetch(
    provider: FakeProvider, verifier: TokenVerifier
) -> None:
    verifier.verify(token())
    provider.reachable = False
    provider.now = 31

    with pytest.raises(KeysUnavailable):
        verifier.verify(token(kid="made-up"))

    assert verifier.verify(token()).name == "oidc:jane"


def test_unsupported_algorithm_causes_no_request(
    provider: FakeProvider, verifier: TokenVerifier
) -> None:
    for algorithm, key in (("HS256", "a" * 32), ("none", "")):
        with pytest.raises(Unauthenticated):
            verifier.verify(token(key, algorithm))

    assert provider.requests == 0


@pytest.mark.parametrize("keys", [3, None, ["a"], [[]], [{"kid": []}]])
def test_malformed_key_list_makes_keys_unavailable(
    provider: FakeProvider, verifier: TokenVerifier, keys: Any
) -> None:
    provider.keys = keys

    with pytest.raises(KeysUnavailable):
        verifier.verify(token())


@pytest.mark.parametrize("damaged", [{"n": "!"}, {"n": ""}, {"n": 3}, {"kty": None}, {"e": None}])
def test_damaged_published_key_admits_no_token(
    provider: FakeProvider, verifier: TokenVerifier, damaged: dict[str, Any]
) -> None:
    provider.keys = [published("RS256", RSA, kid="rsa") | damaged]

    with pytest.raises((Unauthenticated, KeysUnavailable)):
        verifier.verify(token())
