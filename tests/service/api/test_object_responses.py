"""Objects for archives as bodies: what other programs make of them, and what is held meanwhile."""

import asyncio
from email import message_from_bytes, policy
from typing import Any
from unittest.mock import MagicMock, Mock

import pytest
from dicomweb_client.web import DICOMwebClient
from starlette.types import Message

from service.api.held_response import HeldResponse, check_part
from service.api.negotiation import MediaType
from service.errors import NotStorable
from service.runtime.body_memory import BodyMemory, HeldAnswer

PARTS = [b"DICM\r\n\r\n--first\r\n", bytes(range(256)) * 3000, b"\r\n--"]
TYPE = 'multipart/related; type="application/dicom"; boundary=mammolens'


def held(memory: BodyMemory | None = None) -> HeldAnswer:
    answer = HeldAnswer(memory or BodyMemory(10_000_000, 10_000_000), "caller", 0)
    for part in PARTS:
        answer.add(part)
    return answer


def sent(response: HeldResponse) -> list[Message]:
    """Return the messages that the response sends."""
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    asyncio.run(response({"type": "http"}, Mock(), send))
    return messages


def headers_and_body(response: HeldResponse) -> tuple[dict[str, str], bytes]:
    start, *chunks = sent(response)
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    return headers, b"".join(chunk["body"] for chunk in chunks)


def test_type_of_several_objects_is_always_the_same() -> None:
    headers, body = headers_and_body(HeldResponse(held(), MediaType.RELATED, {}))

    assert headers["content-type"] == TYPE
    assert int(headers["content-length"]) == len(body)


def test_python_reads_the_parts() -> None:
    _, body = headers_and_body(HeldResponse(held(), MediaType.RELATED, {}))

    message = message_from_bytes(f"Content-Type: {TYPE}\n\n".encode() + body, policy=policy.HTTP)

    parts = list(message.iter_parts())
    assert [part.get_content_type() for part in parts] == ["application/dicom"] * 3
    assert [part.get_payload(decode=True) for part in parts] == PARTS


def test_client_of_dicomweb_reads_the_parts() -> None:
    headers, body = headers_and_body(HeldResponse(held(), MediaType.RELATED, {}))
    answer = MagicMock(headers=headers, content=body)
    client = DICOMwebClient("http://archive.invalid")

    parts: list[Any] = list(client._decode_multipart_message(answer, stream=False))

    assert parts == PARTS


def test_one_object_is_sent_as_it_is() -> None:
    answer = HeldAnswer(BodyMemory(10_000, 10_000), "caller", 0)
    answer.add(PARTS[0])

    headers, body = headers_and_body(HeldResponse(answer, MediaType.DICOM, {"x-more": "yes"}))

    assert body == PARTS[0]
    assert headers == {
        "x-more": "yes", "content-length": str(len(body)), "content-type": "application/dicom",
    }  # fmt: skip


def test_large_object_is_sent_in_pieces() -> None:
    _, *chunks = sent(HeldResponse(held(), MediaType.RELATED, {}))

    assert max(len(chunk["body"]) for chunk in chunks) == 256 * 1024
    assert [chunk.get("more_body", False) for chunk in chunks][-2:] == [True, False]


def test_sent_objects_are_counted_no_longer() -> None:
    memory = BodyMemory(10_000_000, 10_000_000)
    answer = held(memory)
    assert memory.held_bytes == sum(map(len, PARTS))

    sent(HeldResponse(answer, MediaType.RELATED, {}))

    assert memory.held_bytes == 0


def test_objects_for_a_lost_client_are_let_go() -> None:
    memory = BodyMemory(10_000_000, 10_000_000)
    response = HeldResponse(held(memory), MediaType.RELATED, {})

    async def send(_: Message) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        asyncio.run(response({"type": "http"}, Mock(), send))
    assert memory.held_bytes == 0


def test_object_that_holds_the_boundary_is_refused() -> None:
    check_part(b"DICM mammolens --mammo")

    with pytest.raises(NotStorable, match="boundary"):
        check_part(b"DICM\r\n--mammolens\r\nContent-Type: application/dicom\r\n\r\nDICM")
