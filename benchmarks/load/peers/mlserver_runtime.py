"""MLServer: a custom runtime with adaptive batching and parallel workers.

See docs.seldon.ai/mlserver/user-guide. A raw body would bypass its batching. The image is therefore
sent as base64 in the JSON of the Open Inference Protocol.
"""

import json

from mlserver import MLModel
from mlserver.codecs import Base64Codec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse

from benchmarks.load.peers.work import WORKERS, Work


class Runtime(MLModel):
    """Runtime with the service's decode, fit and network."""

    async def load(self) -> bool:
        """Load the bundle, once per worker."""
        self._work = Work(WORKERS)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Return the answers to a batch, each a string of JSON."""
        files = Base64Codec.decode_input(payload.inputs[0])
        predictions = self._work.predict([self._work.read(file) for file in files])

        answers = [json.dumps({"probabilities": by_class}) for by_class in predictions]
        return InferenceResponse(
            model_name=self.name, outputs=[StringCodec.encode_output("answer", answers)]
        )
