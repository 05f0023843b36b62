"""Screening cohort: random patients with their breasts, findings and mammography units."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from service.records import Laterality
from training.phantoms.acquisition import Acquisition, PhantomWindow
from training.phantoms.anatomy import DENSITIES, Body
from training.phantoms.finding import Finding, FindingKind
from training.phantoms.view import Detector

# Share of each kind among the cancers, and among the look-alikes.
_CANCERS = {FindingKind.SPICULATED_MASS: 0.5, FindingKind.MICROCALCIFICATIONS: 0.5}
_LOOK_ALIKES = {
    FindingKind.ROUND_MASS: 0.3,
    FindingKind.COARSE_CALCIFICATIONS: 0.55,
    FindingKind.VASCULAR_CALCIFICATIONS: 0.15,
}
# Share of breasts that have a look-alike.
_LOOK_ALIKE_RATE = 0.5
_LOOK_ALIKE_RATE_BESIDE_CANCER = 0.2


@dataclass(frozen=True, slots=True)
class Machine:
    """Mammography unit: its IDs in the table, its detector and how it writes files."""

    machine_id: int
    site_id: Literal[1, 2]
    detector: Detector
    acquisition: Acquisition


MACHINES = (
    Machine(21, 2, Detector(832, 640, noise=0.010), Acquisition(model="Linear 12")),
    Machine(
        29,
        2,
        Detector(640, 480, gamma=0.7, noise=0.010),
        Acquisition(
            bits=16,
            photometric="MONOCHROME1",
            windows=(
                PhantomWindow(2000, 1100, "SIGMOID", "STANDARD"),
                PhantomWindow(2000, 800, "SIGMOID", "CONTRAST"),
                PhantomWindow(2200, 1100, "SIGMOID", "DARKER"),
                PhantomWindow(1800, 1100, "SIGMOID", "BRIGHTER"),
            ),
            transfer_syntax="jpeg2000",
            model="Sigmoid 16",
        ),
    ),
    Machine(
        48,
        1,
        Detector(720, 560, gamma=1.25, noise=0.014),
        Acquisition(
            windows=(
                PhantomWindow(1540, 2580),
                PhantomWindow(1700, 2580, explanation="HARDER"),
                PhantomWindow(1380, 2580, explanation="SOFTER"),
            ),
            model="Three Windows",
        ),
    ),
    Machine(
        49,
        1,
        Detector(768, 576, gamma=0.9),
        Acquisition(photometric="MONOCHROME1", transfer_syntax="implicit", model="Film Like"),
    ),
    Machine(
        93,
        1,
        Detector(640, 512, gamma=1.1),
        Acquisition(
            bits=16,
            windows=(PhantomWindow(5000, 6000),),
            transfer_syntax="jpeg2000",
            model="Linear 16",
        ),
    ),
    Machine(
        170,
        2,
        Detector(896, 704),
        Acquisition(windows=(PhantomWindow(2047, 1000, "SIGMOID"),), model="Sigmoid 12"),
    ),
    # The last two have the matrix of clinical machines, so that images larger than a model's grid
    # needs are in every part of a data set.
    Machine(
        210,
        1,
        Detector(3328, 2560, noise=0.005),
        Acquisition(
            windows=(PhantomWindow(2200, 3600),),
            transfer_syntax="jpeg2000",
            model="Linear 12 Large",
            detector_height_mm=232.96,
        ),
    ),
    Machine(
        216,
        2,
        Detector(3584, 2816, gamma=1.1, noise=0.006),
        Acquisition(
            windows=(PhantomWindow(2047, 1000, "SIGMOID"),),
            transfer_syntax="jpeg-ls",
            model="Sigmoid 12 Large",
            detector_height_mm=304.64,
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Breast:
    """One breast and its findings, which are the same in both views."""

    laterality: Laterality
    findings: tuple[Finding, ...]

    @property
    def cancer(self) -> bool:
        """True if one of the findings is a cancer."""
        return any(finding.kind.malignant for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Patient:
    """Screening exam of one patient."""

    patient_id: int
    age: int
    body: Body
    machine: Machine
    breasts: tuple[Breast, Breast]


def sample_patient(rng: np.random.Generator, patient_id: int, cancer_rate: float) -> Patient:
    """Draw a random patient. With probability `cancer_rate`, one breast has a cancer.

    Age, density, size and machine do not depend on the cancer, so that they do not predict it.
    """
    age = int(np.clip(rng.normal(58, 10), 40, 89))
    affected = rng.choice(["L", "R"]) if rng.random() < cancer_rate else None

    return Patient(
        patient_id=patient_id,
        age=age,
        body=_sample_body(rng, age),
        machine=MACHINES[rng.integers(len(MACHINES))],
        breasts=(
            Breast("L", _sample_findings(rng, cancer=affected == "L")),
            Breast("R", _sample_findings(rng, cancer=affected == "R")),
        ),
    )


def _sample_body(rng: np.random.Generator, age: int) -> Body:
    """Draw a body for the given age. Younger breasts are denser on average."""
    youth = (65 - age) / 50
    shares = np.clip(
        [0.15 - 0.1 * youth, 0.4 - 0.1 * youth, 0.35 + 0.1 * youth, 0.1 + 0.1 * youth], 0.02, None
    )

    return Body(
        DENSITIES[rng.choice(len(DENSITIES), p=shares / shares.sum())], size=float(rng.beta(2, 2))
    )


def _sample_findings(rng: np.random.Generator, *, cancer: bool) -> tuple[Finding, ...]:
    """Draw the findings of a breast. A look-alike lies on the other side than the cancer."""
    side = int(rng.choice([-1, 1]))
    look_alike = rng.random() < (_LOOK_ALIKE_RATE_BESIDE_CANCER if cancer else _LOOK_ALIKE_RATE)

    return tuple(
        _sample_finding(rng, shares, on_side)
        for shares, on_side, present in (
            (_CANCERS, side, cancer),
            (_LOOK_ALIKES, -side, look_alike),
        )
        if present
    )


def _sample_finding(
    rng: np.random.Generator, shares: dict[FindingKind, float], side: int
) -> Finding:
    """Draw a finding of one of the kinds in `shares`, with these probabilities.

    `side`: -1 or 1, the side of the nipple on which it lies in both views.
    """
    return Finding(
        kind=list(shares)[rng.choice(len(shares), p=list(shares.values()))],
        conspicuity=float(rng.beta(3, 1.5)),
        size=float(rng.random()),
        depth=float(rng.uniform(0.25, 0.75)),
        lateral=float(side * rng.uniform(0.2, 0.7)),
        height=float(side * rng.uniform(0.2, 0.7)),
    )
