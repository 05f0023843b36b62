"""Bodies that Schemathesis sends for benchmarks.contract. It runs in an environment of its own."""

import os
from pathlib import Path

import schemathesis
from hypothesis import strategies

_IMAGE = Path(os.environ["CONTRACT_IMAGE"]).read_bytes()
_BODIES = strategies.one_of(strategies.just(_IMAGE), strategies.binary(max_size=64))
_RAW = (
    "application/dicom",
    "image/png",
    "image/jpeg",
    "image/tiff",
    "application/octet-stream",
)

schemathesis.openapi.format("binary", _BODIES)
for media_type in _RAW:
    schemathesis.openapi.media_type(media_type, _BODIES)
