"""Serve until a signal: hold the settings against this machine, open the port, and run."""

import logging
import os
import ssl

from service.api.app import create_app
from service.api.server import DrainingServer, configure
from service.errors import BundleError, KeysUnavailable
from service.host import memory
from service.host.listening import AddressUnavailable, bind
from service.host.memory_limit import memory_limit
from service.host.tls_files import TlsUnusable, server_context
from service.observability import logs
from service.observability.audit import AuditLost
from service.runtime.memory_plan import MemoryPlan, MemoryTooSmall
from service.settings import Settings

_log = logging.getLogger("mammolens")


class OpenToAnyone(ValueError):
    """The settings would let any client on the network use the service."""


REFUSALS = (
    AddressUnavailable,
    AuditLost,
    BundleError,
    KeysUnavailable,
    MemoryTooSmall,
    OpenToAnyone,
    TlsUnusable,
)
"""Errors of `serve` that an operator can mend. Their message is one line."""


def serve(settings: Settings) -> int:
    """Serve until a signal, and return the exit code. It is 1 after a bug, which is logged.

    Raises:
        REFUSALS: the service cannot be served with these settings.
    """
    _refuse_open_network(settings)
    plan = MemoryPlan.make(settings, memory_limit())
    tls = _tls(settings)

    logs.relay_native_output()
    logs.configure()
    logs.log_stray_faults()
    memory.keep_freed()

    _log.info("%s", plan.describe())
    return _run(settings.model_copy(update={"readers": plan.readers}), tls)


def _refuse_open_network(settings: Settings) -> None:
    if not (settings.is_loopback or settings.authenticates or settings.allow_anonymous):
        raise OpenToAnyone(
            f"refusing to listen on {settings.host} without authentication: any client that "
            "reaches it could use the service. Set MAMMOLENS_KEYS or MAMMOLENS_OIDC_ISSUER, or put "
            "it behind a proxy that authenticates and set MAMMOLENS_ALLOW_ANONYMOUS=true, or leave "
            "HOST at 127.0.0.1"
        )


def _run(settings: Settings, tls: ssl.SSLContext | None) -> int:
    failures: list[BaseException] = []

    def stop(error: BaseException) -> None:
        failures.append(error)
        server.should_exit = True

    app = create_app(settings, on_failure=stop)
    server = DrainingServer(
        configure(app, settings, tls), app.parts.engine, settings.deadline_seconds
    )

    listening = bind(settings.host, settings.port)
    _log.info("listening on port %d of %s", listening.getsockname()[1], settings.host)
    _warn_of_cleartext(settings)
    server.run(sockets=[listening])

    # Nothing was admitted yet, or all is answered, and the load of a model cannot be stopped.
    if app.parts.engine.served.is_loading:
        logging.shutdown()
        os._exit(0)

    return _exit_code(failures)


def _tls(settings: Settings) -> ssl.SSLContext | None:
    """Return the context for TLS, None without a certificate."""
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    return server_context(settings.tls_certificate, settings.tls_key)


def _warn_of_cleartext(settings: Settings) -> None:
    """Warn of keys in clear on a network. Before a trusted proxy, TLS is the proxy's."""
    is_private = settings.is_loopback or settings.tls_certificate or settings.trusted_proxies
    if settings.authenticates and not is_private:
        _log.warning(
            "keys and images cross the network in clear: set MAMMOLENS_TLS_CERTIFICATE and "
            "MAMMOLENS_TLS_KEY, unless a proxy with TLS stands before the service"
        )


def _exit_code(failures: list[BaseException]) -> int:
    """Return 0, or 1 after a bug. An error in the bundle is raised."""
    for failure in failures:
        if isinstance(failure, BundleError):
            raise failure
        # A bug: the places of it are needed.
        _log.error("the service ends", exc_info=failure)
    return 1 if failures else 0
