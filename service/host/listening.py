"""The socket that the service listens on."""

import socket


class AddressUnavailable(OSError):
    """The address or the port cannot be listened on. The message names both."""

    is_loggable = True


def bind(host: str, port: int) -> socket.socket:
    """Bind a TCP socket to the address, which may be a name, and the port.

    Raises:
        AddressUnavailable: the port is in use or reserved, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except TypeError as error:
        listening.close()
        raise AddressUnavailable(f"cannot listen on {host}: it is no name of a host") from error
    except OSError as error:
        listening.close()
        raise AddressUnavailable(
            f"cannot listen on port {port} of {host}: {error.strerror}"
        ) from error
    return listening
