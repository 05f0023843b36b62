"""The socket that the service listens on."""

import socket

import pytest

from service.host.listening import AddressUnavailable, bind


def test_port_in_use_is_named_with_its_address() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(AddressUnavailable) as refused:
            bind("127.0.0.1", port)

    assert str(refused.value) == (
        f"cannot listen on port {port} of 127.0.0.1: Address already in use"
    )


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("192.0.2.1", "Cannot assign requested address"),
        ("\u00e4" * 70, "it is no name of a host"),
        ("127.0.0.1:80", "Address family|Name or service|not known"),
    ],
)
def test_foreign_address_is_refused(host: str, reason: str) -> None:
    with pytest.raises(AddressUnavailable, match=reason):
        bind(host, 0)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_free_port_is_chosen_for_zero(host: str) -> None:
    with bind(host, 0) as listening:
        listening.listen()
        address = listening.getsockname()

    assert address[0] == "127.0.0.1"
    assert address[1] > 0
