"""Models: the bundle with its manifest and golden case, run by one engine or another, and a fake.

Importing this package imports neither TensorFlow nor onnxruntime.
"""

from service.host.cores import usable_cores
from service.model.bundle import Bundle
from service.model.bundle_files import read_manifest
from service.model.contract import ClassIndices, Model
from service.model.curves import (
    CalibrationBin,
    Curves,
    ImageCalibration,
    LevelCurve,
    LevelCurves,
    RocCurve,
)
from service.model.fake import FakeModel
from service.model.golden import GoldenCase
from service.model.level_facts import LevelFacts, Levels, MeasuredShare, ViewsFacts
from service.model.levels import ExamProbabilities, Level, combine
from service.model.manifest import (
    CURVES_FILE,
    EXPERIMENT_FILE,
    GOLDEN_FILE,
    MANIFEST_FILE,
    MODEL_CARD_FILE,
    Manifest,
    Ranges,
    Reference,
    checksums,
    gradcam_signature,
    graph_file,
)
from service.model.onnx_bundle import OnnxBundle
from service.model.provenance import Provenance
from service.model.quality_files import (
    read_domain,
    save_curves,
    save_domain,
    save_scorecard,
    write_domain,
)
from service.model.scorecard import Localisation, Scorecard, ScorecardEntry, Verdict
from service.model.signature_model import SignatureModel
from service.model.versions import Stamp, newest_version, stamp

__all__ = [
    "CURVES_FILE",
    "EXPERIMENT_FILE",
    "GOLDEN_FILE",
    "MANIFEST_FILE",
    "MODEL_CARD_FILE",
    "Bundle",
    "CalibrationBin",
    "ClassIndices",
    "Curves",
    "ExamProbabilities",
    "FakeModel",
    "GoldenCase",
    "ImageCalibration",
    "Level",
    "LevelCurve",
    "LevelCurves",
    "LevelFacts",
    "Levels",
    "Localisation",
    "Manifest",
    "MeasuredShare",
    "Model",
    "OnnxBundle",
    "Provenance",
    "Ranges",
    "Reference",
    "RocCurve",
    "Scorecard",
    "ScorecardEntry",
    "SignatureModel",
    "Stamp",
    "Verdict",
    "ViewsFacts",
    "checksums",
    "combine",
    "gradcam_signature",
    "graph_file",
    "newest_version",
    "read_domain",
    "read_manifest",
    "save_curves",
    "save_domain",
    "save_scorecard",
    "stamp",
    "usable_cores",
    "write_domain",
]
