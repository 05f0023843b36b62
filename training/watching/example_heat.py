"""Heat of the examples: Grad-CAM of a network that is still trained, as the service computes it."""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np

from service import explanation
from service.model import Manifest
from service.pipeline.passes import in_batches
from service.records import ConvLayer, Heatmap, Method
from training.config import Experiment
from training.data.lesions import hits
from training.introspection.description import BundleFacts, describe_model
from training.introspection.live_model import LiveModel
from training.introspection.own_model import CLASSES
from training.watching.watched_examples import Example


@dataclass(frozen=True, slots=True)
class ExampleHeat:
    """The heat of an example for cancer.

    `margin`: logit of cancer minus that of no cancer. `heatmap`: in the pixels of the example's
    image. `figures`: those of the service on the place of heat, none if the heatmap is blank.
    """

    example: Example
    layer: ConvLayer
    margin: float
    heatmap: Heatmap
    figures: dict[str, float]


class HeatOfExamples:
    """Heat of the same examples in every epoch. The network is described once, at its first."""

    def __init__(self, experiment: Experiment, examples: Sequence[Example]) -> None:
        self._experiment = experiment
        self._examples = examples
        self._model: LiveModel | None = None

    def __call__(self, network: keras.Model) -> list[ExampleHeat]:
        """Return the heat of each example at the default layer.

        Raises:
            NotExplainable: the network has a form that cannot be followed.
            ExportError: it lacks the default layer that the experiment names.
        """
        model = self._open(network)
        layer = model.manifest.layer(model.manifest.default_layer)
        positive = model.manifest.positive_index

        heats: list[ExampleHeat] = []
        for batch in in_batches(model.manifest, (one.image for one in self._examples)):
            classes = np.full(len(batch), positive, np.int32)
            results = model.layer_gradients(layer.name, batch, classes)
            for maps, gradients, logits in zip(
                results.maps, results.gradients, results.scores.logits, strict=True
            ):
                example = self._examples[len(heats)]
                field = layer.receptive_field
                heatmap = explanation.heatmap(Method.GRAD_CAM, maps, gradients, field.to_input())
                figures = explanation.heat_figures(heatmap, example.mask, field)
                margin = float(logits[positive] - logits[1 - positive])
                heats.append(ExampleHeat(example, layer, margin, heatmap, figures))

        return heats

    def _open(self, network: keras.Model) -> LiveModel:
        """Return the network as a model. Its signatures are traced once for each network."""
        if self._model is None:
            self._model = LiveModel(network, describe(network, self._experiment))
        elif self._model.network is not network:
            self._model = LiveModel(network, self._model.manifest)
        return self._model


def describe(network: keras.Model, experiment: Experiment) -> Manifest:
    """Return the manifest of a network that is neither calibrated nor measured.

    Raises:
        NotExplainable: the network has a form that cannot be followed.
        ExportError: it lacks the default layer that the experiment names.
    """
    card = experiment.bundle
    facts = BundleFacts(
        name="unnamed",
        version=1,
        classes=CLASSES,
        positive_class=CLASSES[1],
        threshold=0.5,
        threshold_rule="Even odds, as training sees them.",
        temperature=1.0,
        preprocessing=experiment.fit.parameters(),
        layers=None,
        default_layer=card.default_layer,
        training=card.training_data,
        figures={},
        intended_use=card.intended_use,
        limitations=card.limitations,
    )
    return describe_model(network, facts)


def summarise(heats: Sequence[ExampleHeat]) -> dict[str, float]:
    """Return figures of the examples together, by name.

    - `with_heat`: share of the examples whose heatmap is not blank. The other figures on heat are
      means over these.
    - `peak_in_breast`: share with the hottest cell in the breast.
    - `lift`: heat in the breast, relative to a uniform map.
    - `border_lift`: heat along the frame, relative to a uniform map.
    - `entropy`: 1 for a uniform map.
    - `peak_in_lesion`: share of the known lesions that the peak hits.
    - `margin_difference`: mean margin with cancer minus that without.
    """
    figures = {"with_heat": float(np.mean([one.heatmap.peak is not None for one in heats]))}
    for name in ("peak_in_breast", "lift", "border_lift", "entropy"):
        values = [one.figures[name] for one in heats if name in one.figures]
        if values:
            figures[name] = float(np.mean(values))

    pointing = [hit for one in heats if (hit := hits_lesion(one)) is not None]
    if pointing:
        figures["peak_in_lesion"] = float(np.mean(pointing))

    cancers, others = (
        [one.margin for one in heats if one.example.record.cancer is cancer]
        for cancer in (True, False)
    )
    if cancers and others:
        figures["margin_difference"] = float(np.mean(cancers) - np.mean(others))
    return figures


def hits_lesion(heat: ExampleHeat) -> bool | None:
    """Return whether the peak is in the lesion, or half a cell from it. None if it is not known."""
    lesion = heat.example.lesion
    return None if lesion is None else hits(heat.heatmap, lesion)
