"""Network addresses: loopback, URLs whose answers can be trusted, and lists in settings."""

import re
from ipaddress import IPv4Network, ip_address, ip_network
from urllib.parse import urlsplit

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[1-9][0-9]{0,4})?")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_HOST_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^][:/?#@\s]+)(:[0-9]*)?")


def is_loopback(host: str) -> bool:
    """Return whether only this machine can have that address.

    A name other than localhost may resolve to anything.
    """
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_private(url: str) -> bool:
    """Return whether responses from this URL are safe in transit: https, or http on loopback."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return True
    return parts.scheme == "http" and is_loopback(parts.hostname or "")


def host_of(header: str) -> str | None:
    """Return the name or address that a Host header or an origin's end has, without the port.

    In lower case, an IPv6 address without its brackets. None if the header has another form.
    """
    match = _HOST.fullmatch(header.strip().lower())
    return match[1].strip("[]").removesuffix(".") if match else None


def split_list(text: str) -> tuple[str, ...]:
    """Return the parts of a comma-separated list."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def check_origins(text: str) -> None:
    """Refuse a list with anything but origins as browsers send them.

    Raises:
        ValueError: an entry never matches, or matches every page.
    """
    for origin in split_list(text):
        if origin in {"*", "null"}:
            raise ValueError(f"`{origin}` would let any page use the service: name the origins")
        if not _ORIGIN.fullmatch(origin):
            raise ValueError(
                "an origin has the form scheme://host or scheme://host:port, in lower case and "
                "without a slash at its end, such as https://viewer.example"
            )
        scheme = origin.partition(":")[0]
        if origin.endswith(_DEFAULT_PORTS.get(scheme, "/")):
            raise ValueError("browsers leave out the port 80 of http and 443 of https in an origin")


def check_host_names(text: str) -> None:
    """Refuse a list with anything but names and addresses.

    Raises:
        ValueError: an entry is no name and no address.
    """
    for host in split_list(text):
        if not (_HOST_NAME.fullmatch(host.lower()) or _is_address(host.strip("[]"))):
            raise ValueError(
                "a host is a name or an address, without scheme and port, such as mammolens.example"
            )


def networks_of(text: str) -> tuple[str, ...]:
    """Return the networks of a list of addresses and networks.

    An IPv4 network is there a second time, as a socket for both versions of IP has it (RFC 4291,
    section 2.5.5.2).

    Raises:
        ValueError: an entry is neither an address nor a network.
    """
    networks: list[str] = []
    for part in split_list(text):
        try:
            network = ip_network(part)
        except ValueError as error:
            raise ValueError(
                "a proxy is given by its address or network, such as 10.0.0.2 or 10.0.0.0/24"
            ) from error

        networks.append(str(network))
        if isinstance(network, IPv4Network):
            networks.append(f"::ffff:{network.network_address}/{96 + network.prefixlen}")
    return tuple(networks)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
