"""Call every route of the Open Inference Protocol with `tritonclient` and with `kserve`.

    python inference_clients.py ADDRESS MODEL FILE

It runs in an environment with both packages, and prints one JSON object for each client.
"""

import asyncio
import base64
import json
import sys
from typing import Any

import numpy as np
import tritonclient.http as triton
from kserve import (
    InferenceRESTClient,
    InferInput,
    InferRequest,
    RESTConfig,
    V1beta1InferenceServiceSpec,
    V1beta1PredictorSpec,
)

EXPLAINED = {"explain": "grad-cam"}


def main() -> None:
    """Run both clients."""
    address, model, file = sys.argv[1:]
    with open(file, "rb") as stream:  # noqa: PTH123 - a script of its own
        content = stream.read()

    told = {
        "triton": with_triton(address, model, content),
        "kserve": asyncio.run(with_kserve(address, model, content)),
        "members": sorted(V1beta1PredictorSpec.attribute_map.values()),
        "parts": sorted(V1beta1InferenceServiceSpec.attribute_map.values()),
    }
    sys.stdout.write(json.dumps(told))


def with_triton(address: str, model: str, content: bytes) -> dict[str, Any]:
    """Return what each route answers to the client of Triton."""
    client = triton.InferenceServerClient(address.removeprefix("http://"))
    binary = triton.InferInput("image", [1], "BYTES")
    binary.set_data_from_numpy(np.array([content], object))
    in_json = triton.InferInput("image", [1], "BYTES")
    in_json.set_data_from_numpy(np.array([base64.b64encode(content)], object), binary_data=False)

    plain = [triton.InferRequestedOutput("probabilities", binary_data=False)]
    results = [
        client.infer(model, [binary]),
        client.infer(model, [binary], "1", request_compression_algorithm="gzip"),
        client.infer(model, [in_json], outputs=plain),
        client.infer(model, [binary], parameters=EXPLAINED),
    ]
    return {
        "health": [
            client.is_server_live(),
            client.is_server_ready(),
            client.is_model_ready(model),
            client.is_model_ready(model, "1"),
            client.is_model_ready("other"),
        ],
        "server": client.get_server_metadata()["name"],
        "models": [
            client.get_model_metadata(model)["name"],
            client.get_model_metadata(model, "1")["name"],
        ],
        "probabilities": [result.as_numpy("probabilities").tolist() for result in results],
        "label": results[0].as_numpy("label")[0].decode(),
        "heatmap": results[3].as_numpy("heatmap").tolist(),
        "error": triton_error(client, model, binary),
    }


def triton_error(client: triton.InferenceServerClient, model: str, image: Any) -> list[str]:
    """Return status and message of a refused request."""
    try:
        client.infer(model, [image], parameters={"explain": "none"})
    except triton.InferenceServerException as error:
        return [error.status(), error.message()]
    return []


async def with_kserve(address: str, model: str, content: bytes) -> dict[str, Any]:
    """Return what each route that it knows answers to the client of KServe."""
    binary = InferInput("image", [1], "BYTES")
    binary.set_data_from_numpy(np.array([content], object), binary_data=True)
    in_json = InferInput("image", [1], "BYTES", data=[base64.b64encode(content).decode()])
    in_binary = {**EXPLAINED, "binary_data_output": True}

    async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
        answers = [
            await client.infer(address, InferRequest(model, [image], parameters=parameters), model)
            for image, parameters in ((binary, None), (in_json, None), (binary, in_binary))
        ]
        health = [
            await client.is_server_live(address),
            await client.is_server_ready(address),
            await client.is_model_ready(address, model),
            await client.is_model_ready(address, "other"),
        ]

    outputs = [{output.name: output for output in answer.outputs} for answer in answers]
    return {
        "health": health,
        "models": [answer.model_name for answer in answers],
        "probabilities": [each["probabilities"].as_numpy().tolist() for each in outputs],
        "label": outputs[0]["label"].as_numpy()[0],
        "heatmap": outputs[2]["heatmap"].as_numpy().tolist(),
    }


if __name__ == "__main__":
    main()
