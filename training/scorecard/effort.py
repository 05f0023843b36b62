"""Effort of a scorecard: how many images each test uses, and the passes that this takes."""

from dataclasses import dataclass
from enum import StrEnum

from service.explanation import METHODS
from service.model import Manifest
from service.pipeline.passes import WITH_GRADIENTS, count_passes
from service.records import Method

REPETITIONS = 3
"""Passes of an image for the test of repeatability: twice in a batch, once alone."""

PROBES = 4
"""Passes of an image with parts removed."""


@dataclass(frozen=True, slots=True)
class SampleSizes:
    """Maximum numbers of images of a scorecard.

    `domain`: training images for the domain. `tested`: validation images for the tests and the
    reference ranges. `perturbed`: images of either decision for the figures that need many passes.
    `randomised`: images for the randomised networks. `localised`: images with cancer for the
    localisation of the `methods`. `every_layer`: measure the ranges of each layer, not only of the
    default layer.
    """

    domain: int
    tested: int
    perturbed: int
    randomised: int
    localised: int
    every_layer: bool
    methods: tuple[Method, ...]


class ScorecardEffort(StrEnum):
    """How many images a scorecard uses."""

    QUICK = "quick"
    DEFAULT = "default"
    THOROUGH = "thorough"

    @property
    def sizes(self) -> SampleSizes:
        """The numbers of images."""
        return _SIZES[self]


_SIZES = {
    # Too few perturbed images for reference ranges of their figures, which need 20.
    ScorecardEffort.QUICK: SampleSizes(
        domain=200,
        tested=120,
        perturbed=10,
        randomised=8,
        localised=8,
        every_layer=False,
        methods=tuple(METHODS),
    ),
    # An explanation of the input takes up to 259 passes, so those are left to a thorough scorecard.
    ScorecardEffort.DEFAULT: SampleSizes(
        domain=400,
        tested=240,
        perturbed=24,
        randomised=16,
        localised=24,
        every_layer=True,
        methods=tuple(METHODS),
    ),
    ScorecardEffort.THOROUGH: SampleSizes(
        domain=1000,
        tested=400,
        perturbed=70,
        randomised=32,
        localised=25,
        every_layer=True,
        methods=tuple(Method),
    ),
}


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of images that a scorecard has.

    `known`: training images. `tested`: validation images. `with_cancer`: those of them with a
    cancer. `detected`, `cleared`: those rightly decided positive and negative. `marked`: those
    detected whose lesions are known.
    """

    known: int
    tested: int
    with_cancer: int
    detected: int
    cleared: int
    marked: int


@dataclass(frozen=True, slots=True)
class Passes:
    """Passes of the network for each kind of step, counted in images.

    `stages`: number of layers down to which the weights are randomised.
    """

    manifest: Manifest
    sizes: SampleSizes
    counts: Counts
    stages: int

    @property
    def perturbed(self) -> int:
        """Passes of one perturbed image."""
        return count_passes(self.manifest, Method.GRAD_CAM, full=True)

    @property
    def localised(self) -> int:
        """Passes of one image for its localisation."""
        methods = self.sizes.methods
        return sum(count_passes(self.manifest, method, full=False) for method in methods)

    @property
    def layers(self) -> int:
        """Number of layers with reference ranges."""
        return len(self.manifest.layers) if self.sizes.every_layer else 1

    @property
    def randomised(self) -> int:
        """Number of images for the randomised networks."""
        return min(self.sizes.randomised, self.counts.with_cancer)

    @property
    def cascade(self) -> int:
        """Passes of the network and of the randomised ones."""
        return self.randomised * WITH_GRADIENTS * (1 + self.stages)

    @property
    def total(self) -> int:
        """Passes of the whole scorecard."""
        counts = self.counts
        limit = self.sizes.perturbed
        decided = counts.detected + counts.cleared
        perturbed = min(counts.detected, limit) + min(counts.cleared, limit)
        localised = min(counts.marked, self.sizes.localised)

        return (
            counts.known
            + counts.tested * (4 + PROBES)  # decisions, domain, margins, maps of all layers
            + perturbed * self.perturbed
            + self.layers * decided * WITH_GRADIENTS
            + localised * self.localised
            + counts.detected * WITH_GRADIENTS
            + self.cascade
            + min(self.sizes.randomised, counts.tested) * REPETITIONS
        )
