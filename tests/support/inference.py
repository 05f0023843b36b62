"""Requests and answers of the Open Inference Protocol, by the documents of the protocol alone."""

import base64
import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from httpx2 import Response

LENGTH = "Inference-Header-Content-Length"
_TYPES = {"FP32": "<f4", "FP64": "<f8", "BOOL": "?"}


def in_json(*files: bytes, **members: Any) -> dict[str, Any]:
    """Return the JSON of a request about files, with further members."""
    data = [base64.b64encode(file).decode() for file in files]
    image = {"name": "image", "shape": [len(files)], "datatype": "BYTES", "data": data}
    return {"inputs": [image], **members}


def in_binary(*files: bytes, **members: Any) -> dict[str, Any]:
    """Return the arguments of a post about files as a binary tensor."""
    tensor = b"".join(struct.pack("<I", len(file)) + file for file in files)
    parameters = {"binary_data_size": len(tensor)}
    image = {"name": "image", "shape": [len(files)], "datatype": "BYTES", "parameters": parameters}
    return joined({"inputs": [image], **members}, tensor)


def fitted_in_binary(images: np.ndarray[Any, Any], **members: Any) -> dict[str, Any]:
    """Return the arguments of a post about fitted images as a binary tensor."""
    tensor = images.astype("<f4").tobytes()
    parameters = {"binary_data_size": len(tensor)}
    shape = list(images.shape)
    fitted = {"name": "fitted", "shape": shape, "datatype": "FP32", "parameters": parameters}
    return joined({"inputs": [fitted], **members}, tensor)


def joined(members: Mapping[str, Any], tensor: bytes) -> dict[str, Any]:
    """Return the arguments of a post with a tensor after the JSON."""
    head = json.dumps(members).encode()
    headers = {LENGTH: str(len(head)), "Content-Type": "application/octet-stream"}
    return {"content": head + tensor, "headers": headers}


def outputs_of(answer: Response) -> dict[str, Any]:
    """Return the outputs of an answer by name: arrays of numbers, and lists of texts."""
    assert answer.status_code == 200, answer.text
    size = int(answer.headers.get(LENGTH, len(answer.content)))
    rest = answer.content[size:]

    outputs = {}
    for output in json.loads(answer.content[:size])["outputs"]:
        data = output.get("data")
        if data is None:
            length = output["parameters"]["binary_data_size"]
            data = _unpacked(output["datatype"], rest[:length])
            rest = rest[length:]
        outputs[output["name"]] = _shaped(output, data)

    assert not rest
    return outputs


def _unpacked(datatype: str, content: bytes) -> Sequence[Any]:
    if datatype != "BYTES":
        values: list[Any] = np.frombuffer(content, _TYPES[datatype]).tolist()
        return values

    texts = []
    while content:
        (length,) = struct.unpack("<I", content[:4])
        texts.append(content[4 : 4 + length].decode())
        content = content[4 + length :]
    return texts


def _shaped(output: Mapping[str, Any], data: Sequence[Any]) -> Any:
    if output["datatype"] == "BYTES":
        assert output["shape"] == [len(data)]
        return list(data)
    return np.array(data, _TYPES[output["datatype"]]).reshape(output["shape"])
