"""The gate that every request passes: authentication, authorisation and rate limit."""

from collections.abc import Iterable

from service.access.callers import AccessScope, Caller
from service.access.key_file import KeyFile
from service.access.keys import PREFIX
from service.access.rates import Rates
from service.access.tokens import TokenVerifier
from service.errors import Unauthenticated


class AccessGate:
    """Checks keys, tokens and rates.

    With neither keys nor tokens, every caller has `anonymous_scopes`.
    """

    def __init__(
        self,
        keys: KeyFile | None,
        tokens: TokenVerifier | None,
        rates: Rates | None,
        anonymous_scopes: Iterable[AccessScope] = (),
    ) -> None:
        self._keys = keys
        self._tokens = tokens
        self._rates = rates
        self._anonymous = Caller("anonymous", frozenset(anonymous_scopes))

    async def admit(
        self, credential: str | None, scope: AccessScope | None, address: str
    ) -> Caller:
        """Return the caller if it may use `scope`.

        `address` identifies anonymous callers in the rate limit.

        Raises:
            Unauthenticated, Forbidden, RateLimited, KeysUnavailable.
        """
        try:
            caller = await self._identify(credential)
        except Unauthenticated:
            # Guessing keys is limited by the address, so that it slows down no other caller.
            if self._rates is not None:
                self._rates.take(f"unknown at {address}")
            raise

        if scope is not None:
            caller.require(scope)
        if self._rates is not None:
            self._rates.take(address if caller is self._anonymous else caller.name)
        return caller

    async def _identify(self, credential: str | None) -> Caller:
        if self._keys is None and self._tokens is None:
            return self._anonymous
        if not credential:
            raise Unauthenticated("A key or a token is required.")

        if self._keys is not None and credential.startswith(PREFIX):
            if caller := await self._keys.find(credential):
                return caller
        elif self._tokens is not None:
            return await self._tokens.verify(credential)
        raise Unauthenticated("The key is unknown.")
