"""The names by which the service may be called (RFC 9110, section 7.4).

A page of the web can point a name of its own to this machine (DNS rebinding). Its requests then
come from the browser's own machine and count as of the same origin, but they name that host.
"""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.problems.handlers import respond
from service.api.problems.http_errors import Misdirected
from service.host.addresses import host_of, is_loopback

_PROBES = {"/livez", "/readyz"}
"""Paths that every host may name: probes call by address, and the answers tell nothing."""


class HostNames:
    """Refuses requests that name another host.

    `allowed`: names and addresses; None allows any. `this_machine` allows the names of this machine
    instead.
    """

    def __init__(
        self, app: ASGIApp, allowed: Collection[str] | None, *, this_machine: bool
    ) -> None:
        self._app = app
        self._allowed = None if allowed is None else set(map(host_of, map(_bracketed, allowed)))
        self._this_machine = this_machine

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on (ASGI), or refuse it."""
        if scope["type"] != "http" or scope["path"] in _PROBES or self._is_allowed(scope):
            await self._app(scope, receive, send)
            return

        error = Misdirected("The request is for another host.")
        await respond(Request(scope), error)(scope, receive, send)

    def _is_allowed(self, scope: Scope) -> bool:
        # The parser has refused requests with several, and without one where one is needed.
        host = host_of(Headers(scope=scope).get("host", ""))
        if self._allowed is not None:
            return host in self._allowed
        if not self._this_machine:
            return True

        # The address at which the request arrived is a name of this machine, too.
        server = scope.get("server") or [None]
        return host is not None and (is_loopback(host) or host == server[0])


def _bracketed(host: str) -> str:
    """Return an IPv6 address in brackets, as in a Host header, and any other host as it is."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
