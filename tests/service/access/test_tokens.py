"""Bearer tokens of an OpenID provider. tests/contract/test_access.py tests them over HTTP."""

import asyncio
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from service.access import AccessScope, Caller, ProviderKeys, TokenVerifier, provider_keys
from service.errors import KeysUnavailable, Unauthenticated
from tests.support.openid import Behaviour, OpenIdProvider

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
OKP = ed25519.Ed25519PrivateKey.generate()


def published(algorithm: str, key: Any, **more: str) -> dict[str, Any]:
    """Return the public key as an entry of a JSON Web Key Set."""
    jwk: dict[str, Any] = json.loads(jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key()))
    return jwk | more


KEYS: list[Any] = [
    published("RS256", RSA, kid="rsa"),
    published("ES256", EC, kid="ec"),
    published("EdDSA", OKP, kid="okp"),
    published("RS256", RSA, kid="bound", alg="RS256"),
    published("RS256", RSA, kid="enc", use="enc"),
    {"kty": "oct", "k": "c2VjcmV0" * 8, "kid": "oct"},
]


class Verifying:
    """A verifier with a clock that the test moves, and its provider."""

    def __init__(self, provider: OpenIdProvider, runner: asyncio.Runner) -> None:
        self.now = 0.0
        self.provider = provider
        self._runner = runner
        keys = ProviderKeys(provider.issuer, clock=lambda: self.now)
        self._verifier = TokenVerifier(provider.issuer, "mammolens", keys, leeway_seconds=30)

    def token(
        self,
        key: Any = RSA,
        algorithm: str = "RS256",
        kid: str = "rsa",
        header_type: str | None = "JWT",
        **claims: Any,
    ) -> str:
        """Return a signed token, valid for a minute. `claims` are added or replaced."""
        all_claims = {
            "iss": self.provider.issuer,
            "aud": "mammolens",
            "sub": "jane",
            "exp": time.time() + 60,
        } | claims
        return jwt.encode(all_claims, key, algorithm, headers={"kid": kid, "typ": header_type})

    def verify(self, token: str) -> Caller:
        return self._runner.run(self._verifier.verify(token))

    def wait_until_asked(self, times: int) -> None:
        """Wait until the provider got that many requests."""

        end = time.monotonic() + 5
        while len(self.provider.fetched) < times:
            assert time.monotonic() < end, "the provider was not asked"
            self._runner.run(asyncio.sleep(0.01))

    def verify_all(self, *tokens: str) -> list[tuple[float, Caller | BaseException]]:
        """Verify tokens at the same time. Return the seconds that each took, and its outcome."""

        async def timed(token: str) -> tuple[float, Caller | BaseException]:
            start = time.perf_counter()
            (outcome,) = await asyncio.gather(self._verifier.verify(token), return_exceptions=True)
            return time.perf_counter() - start, outcome

        async def all_of_them() -> list[tuple[float, Caller | BaseException]]:
            return await asyncio.gather(*map(timed, tokens))

        return self._runner.run(all_of_them())


@pytest.fixture
def provider() -> Iterator[OpenIdProvider]:
    with OpenIdProvider() as started:
        started.keys = KEYS
        yield started


@pytest.fixture
def verifying(provider: OpenIdProvider) -> Iterator[Verifying]:
    with asyncio.Runner() as runner:
        yield Verifying(provider, runner)


@pytest.mark.parametrize(
    ("key", "algorithm", "kid"),
    [(RSA, name, "rsa") for name in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")]
    + [(EC, "ES256", "ec"), (OKP, "EdDSA", "okp"), (RSA, "RS256", "bound")],
)
def test_every_algorithm_of_the_key_is_accepted(
    verifying: Verifying, key: Any, algorithm: str, kid: str
) -> None:
    assert verifying.verify(verifying.token(key, algorithm, kid)).name == "oidc:jane"


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
    verifying: Verifying, key: Any, algorithm: str, kid: str
) -> None:
    with pytest.raises(Unauthenticated):
        verifying.verify(verifying.token(key, algorithm, kid))


@pytest.mark.parametrize("granted", [3, None, {"predict": 1}, [["predict"], 3], True])
def test_malformed_scope_claim_grants_nothing(verifying: Verifying, granted: Any) -> None:
    assert verifying.verify(verifying.token(scope=granted)).scopes == frozenset()


def test_scopes_may_be_string_or_list(verifying: Verifying) -> None:
    for claims in ({"scope": "openid predict"}, {"scp": ["openid", "predict"]}):
        assert verifying.verify(verifying.token(**claims)).scopes == {AccessScope.PREDICT}


def test_subject_cannot_inject_log_lines(verifying: Verifying) -> None:
    caller = verifying.verify(verifying.token(sub="jane\r\n\u202edoe"))

    assert re.fullmatch("oidc:jane[?]{3}doe~[0-9a-f]{16}", caller.name)


def test_long_subjects_stay_distinct_callers(verifying: Verifying) -> None:
    one, other = (verifying.verify(verifying.token(sub="j" * 500 + end)).name for end in "ab")

    assert len(one) == len(other) == 64
    assert one != other


def test_discovery_document_of_another_issuer_is_refused(
    provider: OpenIdProvider, verifying: Verifying
) -> None:
    provider.document["issuer"] = f"{provider.issuer}/other"

    with pytest.raises(KeysUnavailable):
        verifying.verify(verifying.token())


@pytest.mark.parametrize(
    "address", ["http://login.example/keys", "file:///etc/keys", "ftp://login.example/keys"]
)
def test_keys_are_fetched_over_https_only(
    provider: OpenIdProvider, verifying: Verifying, address: str
) -> None:
    """No request is made to the address. Only the discovery document is fetched."""
    provider.document["jwks_uri"] = address

    with pytest.raises(KeysUnavailable):
        verifying.verify(verifying.token())

    assert len(provider.fetched) == 1


def test_withdrawn_key_is_refused_after_five_minutes(
    provider: OpenIdProvider, verifying: Verifying
) -> None:
    signed = verifying.token()
    verifying.verify(signed)
    provider.keys = []

    verifying.now = 299
    verifying.verify(signed)

    verifying.now = 301
    with pytest.raises(Unauthenticated):
        verifying.verify(signed)


def test_made_up_keys_cause_few_fetches(provider: OpenIdProvider, verifying: Verifying) -> None:
    """The keys are fetched again after 30 seconds, and a new key is then accepted."""
    verifying.verify(verifying.token())

    for number in range(20):
        with pytest.raises(Unauthenticated):
            verifying.verify(verifying.token(kid=f"made-up-{number}"))
    assert len(provider.fetched) == 2  # the discovery document and the keys, once

    provider.keys = [*provider.keys, published("RS256", RSA, kid="new")]
    verifying.now = 31

    assert verifying.verify(verifying.token(kid="new")).name == "oidc:jane"
    assert len(provider.fetched) == 4


def test_unreachable_provider_is_retried_once_a_second(
    provider: OpenIdProvider, verifying: Verifying
) -> None:
    provider.behaviour = Behaviour.CLOSE

    for _ in range(20):
        with pytest.raises(KeysUnavailable):
            verifying.verify(verifying.token())
    assert len(provider.fetched) == 1

    provider.behaviour = Behaviour.ANSWER
    verifying.now = 1.0
    assert verifying.verify(verifying.token()).name == "oidc:jane"


def test_cached_keys_survive_a_failed_fetch(provider: OpenIdProvider, verifying: Verifying) -> None:
    verifying.verify(verifying.token())
    provider.behaviour = Behaviour.CLOSE
    verifying.now = 31

    with pytest.raises(KeysUnavailable):
        verifying.verify(verifying.token(kid="made-up"))

    assert verifying.verify(verifying.token()).name == "oidc:jane"


def test_unsupported_algorithm_causes_no_request(
    provider: OpenIdProvider, verifying: Verifying
) -> None:
    for algorithm, key in (("HS256", "a" * 32), ("none", "")):
        with pytest.raises(Unauthenticated):
            verifying.verify(verifying.token(key, algorithm))

    assert len(provider.fetched) == 0


@pytest.mark.parametrize("keys", [3, None, ["a"], [[]], [{"kid": []}]])
def test_malformed_key_list_makes_keys_unavailable(
    provider: OpenIdProvider, verifying: Verifying, keys: Any
) -> None:
    provider.keys = keys

    with pytest.raises(KeysUnavailable):
        verifying.verify(verifying.token())


@pytest.mark.parametrize("damaged", [{"n": "!"}, {"n": ""}, {"n": 3}, {"kty": None}, {"e": None}])
def test_damaged_published_key_admits_no_token(
    provider: OpenIdProvider, verifying: Verifying, damaged: dict[str, Any]
) -> None:
    provider.keys = [published("RS256", RSA, kid="rsa") | damaged]

    with pytest.raises((Unauthenticated, KeysUnavailable)):
        verifying.verify(verifying.token())


@pytest.mark.parametrize(
    "typ", ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "application/jwt", None]
)
def test_types_of_access_tokens_are_accepted(verifying: Verifying, typ: str | None) -> None:
    assert verifying.verify(verifying.token(header_type=typ)).name == "oidc:jane"


@pytest.mark.parametrize("typ", ["logout+jwt", "dpop+jwt", "secevent+jwt", "JWT ", "id"])
def test_other_types_are_refused_without_fetch(verifying: Verifying, typ: str) -> None:
    with pytest.raises(Unauthenticated):
        verifying.verify(verifying.token(header_type=typ))

    assert verifying.provider.fetched == []


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "n"},
        {"at_hash": "h"},
        {"c_hash": "h"},
        {"typ": "ID"},
        {"typ": "Refresh"},
        {"typ": "Logout"},
        {"sub": ""},
        {"sub": 3},
        {"sub": None},
    ],
)
def test_token_that_is_not_for_access_is_refused(
    verifying: Verifying, claims: dict[str, Any]
) -> None:
    with pytest.raises(Unauthenticated):
        verifying.verify(verifying.token(**claims))


@pytest.mark.parametrize(("typ", "claims"), [("at+jwt", {}), ("JWT", {"typ": "Bearer"})])
def test_access_token_may_have_a_nonce(
    verifying: Verifying, typ: str, claims: dict[str, Any]
) -> None:
    """As those of Keycloak had before 2024."""
    token = verifying.token(header_type=typ, nonce="n", **claims)

    assert verifying.verify(token).name == "oidc:jane"


@pytest.mark.parametrize(("claim", "sign"), [("exp", -1), ("nbf", 1), ("iat", 1)])
def test_clocks_may_differ_by_the_leeway(verifying: Verifying, claim: str, sign: int) -> None:
    near: dict[str, Any] = {claim: time.time() + sign * 25}
    far: dict[str, Any] = {claim: time.time() + sign * 35}

    verifying.verify(verifying.token(**near))

    with pytest.raises(Unauthenticated):
        verifying.verify(verifying.token(**far))


@pytest.mark.parametrize("behaviour", [Behaviour.HANG, Behaviour.DRIP, Behaviour.FLOOD])
def test_sick_provider_delays_unknown_keys_alone(
    verifying: Verifying, monkeypatch: pytest.MonkeyPatch, behaviour: Behaviour
) -> None:
    """Calls for unknown keys share one fetch, which ends in time."""
    monkeypatch.setattr(provider_keys, "_FETCH_SECONDS", 0.5)
    known = verifying.token()
    verifying.verify(known)
    verifying.provider.fetched.clear()
    verifying.provider.behaviour = behaviour
    verifying.now = 31

    unknown = [verifying.token(kid=f"made-up-{number}") for number in range(4)]
    outcomes = verifying.verify_all(*unknown, known, known)

    for seconds, outcome in outcomes[:4]:
        assert seconds < 1.5
        assert isinstance(outcome, KeysUnavailable)
    for seconds, outcome in outcomes[4:]:
        assert seconds < 0.3
        assert isinstance(outcome, Caller)
    assert len(verifying.provider.fetched) == 1


def test_keys_are_renewed_before_they_expire(verifying: Verifying) -> None:
    """No call waits for the renewal: the provider hangs, or is too slow for it."""
    token = verifying.token()
    verifying.verify(token)
    verifying.now = 250
    verifying.provider.behaviour = Behaviour.HANG

    ((seconds, outcome),) = verifying.verify_all(token)

    assert isinstance(outcome, Caller)
    assert seconds < 0.3
    verifying.wait_until_asked(3)


def test_redirect_is_not_followed(verifying: Verifying) -> None:
    verifying.provider.behaviour = Behaviour.REDIRECT

    with pytest.raises(KeysUnavailable):
        verifying.verify(verifying.token())

    assert len(verifying.provider.fetched) == 1


@pytest.mark.parametrize("name", ["http_proxy", "ALL_PROXY"])
def test_provider_on_this_machine_needs_no_proxy(
    verifying: Verifying, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "socks5://192.0.2.1:1")

    assert verifying.verify(verifying.token()).name == "oidc:jane"
