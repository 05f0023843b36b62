"""Errors of authentication and authorisation."""

from service.errors.base import MammolensError


class AccessError(MammolensError):
    """The caller has no access."""


class Unauthenticated(AccessError):
    """The request has no key or token, or an invalid one."""

    slug = "unauthenticated"
    title = "Authentication required"
    remedy = "Send a valid key or token in the header Authorization: Bearer ..."


class Forbidden(AccessError):
    """The caller lacks the scope."""

    slug = "forbidden"
    title = "Permission denied"
    remedy = "Ask the operator for the scope named in the detail."
