"""A model's scorecard: every test made, judged and put in order."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import keras
import numpy as np

from service.model import Localisation, Manifest, Scorecard, ScorecardEntry
from service.records import Method
from training.config import Experiment
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
    """How many images are looked at, at most.

    They serve to know the domain, for the ranges and for the tests; of these some for what takes many passes, for the
    randomised networks, and for each method's localisation. `every_layer`: ranges of every layer, not only of the one
    that is explained by default.
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
    """What the network was fitted to, what it was chosen by, and what it has not seen."""

    train: Part
    validation: Part
    test: Part


def score_experiment(
    network: keras.Model, manifest: Manifest, experiment: Experiment
) -> ScorecardReport:
    """The report about a network on the images of an experiment, split as it says.

    Raises:
        ScorecardError: the experiment fits its images otherwise than the network takes them.
        CacheError: they are not prepared.
    """
    if experiment.fit.parameters() != manifest.preprocessing:
        raise ScorecardError(
            "The experiment's [fit] is not the network's: it must say the same in both files."
        )
    return score_model(
        LiveModel(network, manifest),
        open_parts(experiment),
        experiment.data.lesion_masks,
        SampleSizes(),
    )


def open_parts(experiment: Experiment) -> Parts:
    """The three parts of the experiment's images.

    Raises:
        CacheError: they are not prepared.
    """
    split = split_records(load_records(experiment), experiment.split)
    return Parts(
        *(open_part(part, experiment) for part in (split.train, split.validation, split.test))
    )


def score_model(
    model: LiveModel, parts: Parts, lesion_masks: str | None, effort: SampleSizes
) -> ScorecardReport:
    """The model's scorecard on unseen images, the ranges of its figures on validation images, and its domain.

    `lesion_masks`: path template of the lesions' masks, where they are known.
    """
    positive = model.manifest.classes.index(model.manifest.positive_class)
    reference, tested = draw(parts.validation, effort.reference), draw(parts.test, effort.tested)
    domain = find_domain(model, draw(parts.train, effort.domain).images, reference.images)
    default = model.manifest.layer(model.manifest.default_layer)
    layers = model.manifest.layers if effort.every_layer else [default]
    ranges = find_reference(model, layers, reference, positive, effort.perturbed)
    methods = localisation(model, tested, lesion_masks, effort)
    scorecard = Scorecard(
        created=datetime.now(UTC).date(),
        images=len(tested),
        lines=tuple(_lines(model, tested, positive, methods, effort)),
        methods=methods,
    )
    return ScorecardReport(scorecard, ranges, domain)


def localisation(
    model: LiveModel, tested: Sample, lesion_masks: str | None, effort: SampleSizes
) -> dict[Method, Localisation]:
    """How well each method finds lesions in images rightly decided to be positive; empty without such, or masks."""
    found = tested.only(tested.labels == 1, effort.localised)
    if lesion_masks is None or not len(found):
        return {}
    indices = found.indices[decide(model, found)].tolist()
    return localise(model, found.part, indices, lesion_masks, list(Method)) if indices else {}


def _lines(
    model: LiveModel,
    tested: Sample,
    positive: int,
    methods: dict[Method, Localisation],
    effort: SampleSizes,
) -> Sequence[ScorecardEntry]:
    with_cancer = tested.only(tested.labels == 1)
    maps, figures = heatmaps(model, with_cancer, positive)
    dead, cka = layer_figures(model, tested)
    some = with_cancer.only(np.ones(len(with_cancer), np.bool_), effort.randomised)
    similarities = cascade(model, some, positive)
    aucs = discrimination(model, tested, positive)
    found = methods.get(Method.GRAD_CAM)
    values: dict[str, float | None] = {
        **aucs,
        "surroundings": aucs["auc"] - aucs["without_surroundings"],
        **map_figures(maps, figures),
        **insertion_gaps(perturbed_figures(model, with_cancer, positive, effort.perturbed)),
        "randomisation": list(similarities.values())[-1],
        **repeatability(model, some, positive),
        "dead_everywhere": min(dead.values()),
        "cka": cka,
        **(asdict(found) if found else {}),
    }
    return [
        *(asked.judge(name, values.get(name)) for name, asked in CRITERIA.items()),
        *layer_entries(dead, similarities),
    ]
