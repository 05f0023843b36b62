"""Models: the bundle, its manifest and golden case, and a fake. Importing this package does not import TensorFlow."""

from service.model.bundle import Bundle, usable_cores
from service.model.contract import ClassIndices, Model
from service.model.fake import FakeModel
from service.model.golden import GoldenCase
from service.model.manifest import (
    GOLDEN_FILE,
    MANIFEST_FILE,
    MODEL_CARD_FILE,
    Manifest,
    checksums,
    gradcam_signature,
)

__all__ = [
    "GOLDEN_FILE",
    "MANIFEST_FILE",
    "MODEL_CARD_FILE",
    "Bundle",
    "ClassIndices",
    "FakeModel",
    "GoldenCase",
    "Manifest",
    "Model",
    "checksums",
    "gradcam_signature",
    "usable_cores",
]
