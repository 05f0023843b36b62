"""What is asked of every caller before anything is done for them."""

import asyncio
from collections.abc import Iterable

from service.access.callers import Caller, Scope
from service.access.keys import PREFIX, KeyFile
from service.access.rates import Rates
from service.access.tokens import TokenVerifier
from service.errors import Forbidden, Unauthenticated


class Access:
    """Keys, tokens and rates as they were set; where there are neither, all have the scopes of `anyone`."""

    def __init__(
        self, keys: KeyFile | None, tokens: TokenVerifier | None, rates: Rates | None, anyone: Iterable[Scope] = ()
    ) -> None:
        self._keys = keys
        self._tokens = tokens
        self._rates = rates
        self._anyone = Caller("anonymous", frozenset(anyone))

    async def admit(self, credential: str | None, scope: Scope | None, address: str) -> Caller:
        """Who asks, if they may; `address` stands for those who need not say who they are.

        Raises:
            Unauthenticated, Forbidden, RateLimited, KeysUnavailable.
        """
        try:
            caller = await self._identify(credential)
        except Unauthenticated:  # trying keys is bounded by the address it comes from, and slows down nobody else
            if self._rates is not None:
                self._rates.take(f"unknown at {address}")
            raise
        if scope is not None and scope not in caller.scopes:
            raise Forbidden(f"The caller lacks the scope '{scope}'.")
        if self._rates is not None:
            self._rates.take(address if caller is self._anyone else caller.name)
        return caller

    async def _identify(self, credential: str | None) -> Caller:
        if self._keys is None and self._tokens is None:
            return self._anyone
        if not credential:
            raise Unauthenticated("A key or a token is needed.")
        if self._keys is not None and credential.startswith(PREFIX):
            if caller := self._keys.find(credential):
                return caller
        elif self._tokens is not None:
            return await asyncio.to_thread(self._tokens.verify, credential)
        raise Unauthenticated("The key is not known.")
