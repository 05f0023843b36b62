"""Access control: API keys from a file, bearer tokens of an OpenID provider, and a rate limit."""

from service.access.callers import AccessScope, Caller
from service.access.gate import AccessGate
from service.access.keys import KeyFile, add_key, read_keys, revoke_key
from service.access.rates import Rates
from service.access.tokens import TokenVerifier

__all__ = [
    "AccessGate",
    "AccessScope",
    "Caller",
    "KeyFile",
    "Rates",
    "TokenVerifier",
    "add_key",
    "read_keys",
    "revoke_key",
]
