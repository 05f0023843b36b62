"""Run every test of a model's scorecard and judge the results."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from service.model import Localisation, Manifest, Reference, Scorecard
from service.pipeline.passes import WITH_GRADIENTS
from service.records import Method
from training.config import ImageSource, Requirements
from training.data.cache import Part, open_parts_of
from training.data.split import split_records
from training.data.table import load_records
from training.errors import ScorecardError
from training.evaluation.localisation import average, localise_image
from training.introspection.live_model import LiveModel
from training.scorecard.criteria import judge
from training.scorecard.effort import Counts, Passes, SampleSizes
from training.scorecard.figures import lesion_figures, measure
from training.scorecard.kept_steps import Steps
from training.scorecard.randomisation import stages_of
from training.scorecard.reference import (
    Figures,
    decide,
    find_domain,
    gather,
    layer_reference,
    perturbed_figures,
)
from training.scorecard.report import ScorecardReport
from training.scorecard.sample import Sample, draw


@dataclass(frozen=True, slots=True)
class Parts:
    """Images that the network was fitted to, and images that it was selected on.

    The test part is not among them. A network that was changed until it passed would have been
    selected on it.
    """

    train: Part
    validation: Part


def open_parts(source: ImageSource, manifest: Manifest) -> Parts:
    """Open the training and the validation images of an experiment for a network.

    Raises:
        ScorecardError: the experiment's images are not fitted as the network needs them.
        CacheError: the images are not prepared.
    """
    if source.fit.parameters() != manifest.preprocessing:
        raise ScorecardError(
            "The experiment's [fit] differs from the network's; it must be equal in both files."
        )

    split = split_records(load_records(source), source.split)
    return Parts(*open_parts_of((split.train, split.validation), source))


def score_model(
    model: LiveModel,
    parts: Parts,
    sizes: SampleSizes,
    requirements: Requirements,
    steps: Steps,
) -> ScorecardReport:
    """Test a model on validation images, and measure the reference ranges of its figures on them.

    Training images give the domain: the look of images that the model knows.
    """
    # Tell the number of passes beforehand, as if all decisions were right.
    known = draw(parts.train, sizes.domain)
    tested = draw(parts.validation, sizes.tested)
    with_cancer = int(tested.labels.sum())
    at_most = Counts(
        known=len(known),
        tested=len(tested),
        with_cancer=with_cancer,
        detected=with_cancer,
        cleared=len(tested) - with_cancer,
        marked=int((tested.marked & (tested.labels == 1)).sum()),
    )
    stages = len(stages_of(model.network))
    expected = Passes(model.manifest, sizes, at_most, stages)
    steps.expect(expected.total)

    # Images of right decisions, positive and negative.
    decided = steps.run("decisions", len(tested), partial(decide, model, tested))
    detected = tested.only(decided & (tested.labels == 1))
    cleared = tested.only(~decided & (tested.labels == 0))

    marked = detected.only(detected.marked)
    counts = replace(at_most, detected=len(detected), cleared=len(cleared), marked=len(marked))
    passes = replace(expected, counts=counts)
    steps.expect(passes.total)

    # The facts that a single image is compared with.
    find = partial(find_domain, model, known.images, tested.images)
    domain = steps.run("domain", len(known) + len(tested), find)
    perturbed = [
        perturb(model, group.first(sizes.perturbed), name, passes.perturbed, steps)
        for name, group in (("positive", detected), ("negative", cleared))
    ]
    reference = find_reference(model, (detected, cleared), perturbed, sizes, steps)

    # The tests of the model itself.
    methods = localise(model, marked.first(sizes.localised), passes, steps)
    figures = measure(model, tested, detected, perturbed[0], passes, steps)
    figures |= lesion_figures(methods.get(Method.GRAD_CAM))
    layer = model.manifest.layer(model.manifest.default_layer)
    scorecard = Scorecard(
        created=datetime.now(UTC).date(),
        images=len(tested),
        lines=judge(figures, requirements, layer.height * layer.width),
        methods=methods,
    )
    return ScorecardReport(scorecard, reference, domain)


def perturb(model: LiveModel, group: Sample, name: str, passes: int, steps: Steps) -> Figures:
    """Measure the figures that need many passes, image by image."""
    positive = model.manifest.classes.index(model.manifest.positive_class)
    images = []
    for index in range(len(group)):
        figures = partial(perturbed_figures, model, group, index, positive)
        images.append(steps.run(f"perturbed {name} {index}", passes, figures))

    return gather(images)


def find_reference(
    model: LiveModel,
    groups: Sequence[Sample],
    perturbed: Sequence[Figures],
    sizes: SampleSizes,
    steps: Steps,
) -> Reference:
    """Measure the ranges of the figures of single images, layer by layer."""
    manifest = model.manifest
    positive = manifest.classes.index(manifest.positive_class)
    layers = manifest.layers if sizes.every_layer else [manifest.layer(manifest.default_layer)]
    images = sum(map(len, groups))

    ranges = {}
    peaks = {}
    for layer in layers:
        find = partial(layer_reference, model, layer, groups, perturbed, positive)
        ranges[layer.name], peaks[layer.name] = steps.run(
            f"ranges {layer.name}", images * WITH_GRADIENTS, find
        )

    return Reference(images=images, ranges=ranges, peaks=peaks)


def localise(
    model: LiveModel, marked: Sample, passes: Passes, steps: Steps
) -> dict[Method, Localisation]:
    """Measure how well each method finds the known lesions of rightly positive images.

    Empty if there is no such image.
    """
    if not len(marked):
        return {}

    methods = passes.sizes.methods
    images = []
    for index in marked.indices.tolist():
        figures = partial(localise_image, model, marked.part, index, methods)
        images.append(steps.run(f"localisation {index}", passes.localised, figures))

    return average(images)
