"""MLServer: a custom runtime with adaptive batching and parallel workers (docs.seldon.ai/mlserver/user-guide).

A raw body would go past its batching: the image is sent as base64 in the Open Inference Protocol's JSON.
"""

import json

from mlserver import MLModel
from mlserver.codecs import Base64Codec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse

from benchmarks.load.peers.work import WORKERS, Work


class Runtime(MLModel):
    """The service's decode, fit and network."""

    async def load(self) -> bool:
        """Loads the bundle, once a worker."""
        self._work = Work(WORKERS)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """The answers to a batch, each a string of JSON."""
        files = Base64Codec.decode_input(payload.inputs[0])
        found = self._work.predict([self._work.read(file) for file in files])
        answers = [json.dumps({"probabilities": each}) for each in found]
        return InferenceResponse(
            model_name=self.name, outputs=[StringCodec.encode_output("answer", answers)]
        )
