"""Metadata of the model: its tensors and its facts."""

from service.api import schemas
from service.api.inference.tensor_names import INPUT_TYPES, Datatype, InputName, OutputName
from service.model import Manifest, Model

_PLATFORMS = {"tensorflow": "tensorflow_savedmodel", "onnx": "onnx_onnxv1"}
"""Names of the protocol for the engines, by MAMMOLENS_ENGINE."""

_ANY = -1


def describe(model: Model, engine: str) -> schemas.InferenceModel:
    """Return the metadata of the model, which that engine runs."""
    manifest = model.manifest
    return schemas.InferenceModel(
        name=manifest.name,
        versions=[str(manifest.version)],
        platform=_PLATFORMS[engine],
        inputs=[
            _tensor(InputName.IMAGE, INPUT_TYPES[InputName.IMAGE]),
            _tensor(InputName.FITTED, INPUT_TYPES[InputName.FITTED], *manifest.input_shape),
        ],
        outputs=_outputs(manifest),
        properties={
            "digest": model.digest,
            "intended_use": manifest.intended_use,
            "classes": ", ".join(manifest.classes),
            "positive_class": manifest.positive_class,
            "threshold": str(manifest.threshold),
            "inputs": "A request has one of the inputs.",
        },
    )


def _outputs(manifest: Manifest) -> list[schemas.TensorFacts]:
    return [
        _tensor(OutputName.PROBABILITIES, Datatype.FP32, len(manifest.classes)),
        _tensor(OutputName.POSITIVE, Datatype.BOOL),
        _tensor(OutputName.LABEL, Datatype.BYTES),
        _tensor(OutputName.WARNINGS, Datatype.BYTES),
        _tensor(OutputName.DIAGNOSTICS, Datatype.BYTES),
        _tensor(OutputName.HEATMAP, Datatype.FP32, _ANY, _ANY),
        _tensor(OutputName.CELL_TO_SOURCE, Datatype.FP64, 2, 3),
        _tensor(OutputName.EXPLANATION, Datatype.BYTES),
    ]


def _tensor(name: str, datatype: Datatype, *shape: int) -> schemas.TensorFacts:
    """Return the facts of a tensor whose first dimension is that of the images."""
    return schemas.TensorFacts(name=name, datatype=datatype, shape=[_ANY, *shape])
