"""Run every test of a model's scorecard and judge the results."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import keras
import numpy as np

from service.model import Localisation, Manifest, Scorecard, ScorecardEntry
from service.records import Method
from training.config import ImageSource
from training.data.cache import Part, open_part
from training.data.split import split_records
from training.data.table import load_records
from training.errors import ScorecardError
from training.evaluation.localisation import localise
from training.introspection.live_model import LiveModel
from training.scorecard.criteria import CRITERIA, layer_entries
from training.scorecard.maps import heatmaps, layer_figures, map_figures
from training.scorecard.probes import discrimination, insertion_gaps, repeatability
from training.scorecard.randomisation import cascade
from training.scorecard.reference import decide, find_domain, find_reference, perturbed_figures
from training.scorecard.report import ScorecardReport
from training.scorecard.sample import Sample, draw


@dataclass(frozen=True, slots=True)
class SampleSizes:
    """Maximum numbers of images of a scorecard.

    `domain`: training images for the domain. `reference`: validation images for the reference
    ranges. `tested`: test images for the tests. `perturbed`: images for the figures that need many
    passes, both for the tests and for the ranges of either decision. `randomised`: images for the
    randomised networks. `localised`: images with cancer for the localisation of each method.
    `every_layer`: measure the ranges of each layer, not only of the default layer.
    """

    domain: int = 1000
    reference: int = 400
    tested: int = 400
    perturbed: int = 100
    randomised: int = 32
    localised: int = 50
    every_layer: bool = True


@dataclass(frozen=True, slots=True)
class Parts:
    """Images that the network was fitted to, was selected on, and has not seen."""

    train: Part
    validation: Part
    test: Part


def score_experiment(
    network: keras.Model, manifest: Manifest, source: ImageSource
) -> ScorecardReport:
    """Score a network on the images of an experiment, with the experiment's split.

    Raises:
        ScorecardError: the experiment's images are not fitted as the network needs them.
        CacheError: the images are not prepared.
    """
    if source.fit.parameters() != manifest.preprocessing:
        raise ScorecardError(
            "The experiment's [fit] differs from the network's; it must be equal in both files."
        )

    return score_model(
        LiveModel(network, manifest),
        open_parts(source),
        source.data.lesion_masks,
        SampleSizes(),
    )


def open_parts(source: ImageSource) -> Parts:
    """Open the three parts of the experiment's images.

    Raises:
        CacheError: the images are not prepared.
    """
    split = split_records(load_records(source), source.split)

    return Parts(*(open_part(part, source) for part in (split.train, split.validation, split.test)))


def score_model(
    model: LiveModel, parts: Parts, lesion_masks: str | None, sizes: SampleSizes
) -> ScorecardReport:
    """Test a model on unseen images, and measure the reference ranges of its figures.

    The ranges come from validation images. Training images give the domain: the look of images
    that the model knows. `lesion_masks`: path template of the lesions' masks, None if unknown.
    """
    positive = model.manifest.classes.index(model.manifest.positive_class)
    reference = draw(parts.validation, sizes.reference)
    tested = draw(parts.test, sizes.tested)

    domain = find_domain(model, draw(parts.train, sizes.domain).images, reference.images)

    default = model.manifest.layer(model.manifest.default_layer)
    layers = model.manifest.layers if sizes.every_layer else [default]
    ranges = find_reference(model, layers, reference, positive, sizes.perturbed)

    methods = localisation(model, tested, lesion_masks, sizes)
    scorecard = Scorecard(
        created=datetime.now(UTC).date(),
        images=len(tested),
        lines=tuple(_entries(model, tested, positive, methods, sizes)),
        methods=methods,
    )

    return ScorecardReport(scorecard, ranges, domain)


def localisation(
    model: LiveModel, tested: Sample, lesion_masks: str | None, sizes: SampleSizes
) -> dict[Method, Localisation]:
    """Measure how well each method finds lesions in true positives.

    Empty without lesion masks, or if no positive image was correctly classified.
    """
    with_cancer = tested.only(tested.labels == 1, sizes.localised)
    if lesion_masks is None or not len(with_cancer):
        return {}

    true_positives = with_cancer.indices[decide(model, with_cancer)].tolist()
    if not true_positives:
        return {}
    return localise(model, with_cancer.part, true_positives, lesion_masks, list(Method))


def _entries(
    model: LiveModel,
    tested: Sample,
    positive: int,
    methods: dict[Method, Localisation],
    sizes: SampleSizes,
) -> Sequence[ScorecardEntry]:
    """Run the tests and return their entries in the order of the criteria."""
    with_cancer = tested.only(tested.labels == 1)
    maps, figures = heatmaps(model, with_cancer, positive)
    dead, cka = layer_figures(model, tested)

    first = with_cancer.only(np.ones(len(with_cancer), np.bool_), sizes.randomised)
    similarities = cascade(model, first, positive)

    aucs = discrimination(model, tested, positive)
    grad_cam = methods.get(Method.GRAD_CAM)
    values: dict[str, float | None] = {
        **aucs,
        "surroundings": aucs["auc"] - aucs["without_surroundings"],
        **map_figures(maps, figures),
        **insertion_gaps(perturbed_figures(model, with_cancer, positive, sizes.perturbed)),
        "randomisation": list(similarities.values())[-1],
        **repeatability(model, first, positive),
        "dead_everywhere": min(dead.values()),
        "cka": cka,
        **(asdict(grad_cam) if grad_cam else {}),
    }

    return [
        *(criterion.judge(name, values.get(name)) for name, criterion in CRITERIA.items()),
        *layer_entries(dead, similarities),
    ]
