"""Access control: API keys from a file, bearer tokens of an OpenID provider, and a rate limit."""

from service.access.callers import AccessScope, Caller
from service.access.gate import AccessGate
from service.access.key_edits import add_key, revoke_key
from service.access.key_file import KeyFile, read_keys
from service.access.provider_keys import ProviderKeys
from service.access.rates import Rates
from service.access.tokens import TokenVerifier

__all__ = [
    "AccessGate",
    "AccessScope",
    "Caller",
    "KeyFile",
    "ProviderKeys",
    "Rates",
    "TokenVerifier",
    "add_key",
    "read_keys",
    "revoke_key",
]
