"""Answers of /exam/pixels, taken apart as a program does it."""

import json
from base64 import b64decode
from dataclasses import dataclass
from email import message_from_bytes, policy
from gzip import decompress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.records import SampleMeaning, VoiPreset, VoiTable


@dataclass
class PixelForm:
    """The JSON of an answer, and its files by name, as they come."""

    answer: dict[str, Any]
    files: dict[str, bytes]

    def grid(self, name: str) -> NDArray[np.uint16]:
        """Return the samples of a file, such as pixels-0, as an array [rows, columns]."""
        kind, _, position = name.partition("-")
        described = self.answer["pixels"][int(position)]
        described = described if kind == "pixels" else described["heat"]
        values = np.frombuffer(decompress(self.files[name]), "<u2")
        return values.reshape(described["rows"], described["columns"])

    def meaning(self, position: int) -> SampleMeaning:
        """Return the meaning of the samples of an image."""
        told = self.answer["pixels"][position]
        padding = told["padding"]
        return SampleMeaning(
            told["slope"],
            told["intercept"],
            told["lowest"],
            told["highest"],
            (padding["first"], padding["last"]) if padding else None,
            told["inverted"],
            tuple(map(_preset, told["presets"])),
        )


def _preset(told: dict[str, Any]) -> VoiPreset:
    table = told["table"]
    read = None
    if table:
        read = VoiTable(table["first"], table["maximum"], b64decode(table["entries"]))
    return VoiPreset(told["name"], told["function"], told["center"], told["width"], read)


def take_apart(content_type: str, body: bytes) -> PixelForm:
    """Return the parts of a form, as Python's parser of mail finds them."""
    message = message_from_bytes(
        f"Content-Type: {content_type}\r\n\r\n".encode() + body, policy=policy.HTTP
    )
    parts: dict[str, bytes] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        parts[str(name)] = content
    return PixelForm(json.loads(parts.pop("answer")), parts)
