import cv2
import numpy as np
import pytest

from service.records import Laterality
from training.phantoms import Body, Detector, Finding, FindingKind, PhantomImage, render_view
from training.phantoms.anatomy import DENSITIES, View, sample_anatomy
from training.phantoms.finding import render_finding
from training.phantoms.texture import power_law_field

SMALL = Detector(rows=320, columns=256)
MALIGNANT = [kind for kind in FindingKind if kind.malignant]
BENIGN = [kind for kind in FindingKind if not kind.malignant]


def render(
    seed: int = 0, laterality: Laterality = "L", view: View = "CC", *findings: Finding
) -> PhantomImage:
    rng = np.random.default_rng(seed)
    return render_view(rng, laterality=laterality, view=view, findings=findings, detector=SMALL)


def test_seed_determines_the_image() -> None:
    np.testing.assert_array_equal(render(1).pixels, render(1).pixels)
    assert not np.array_equal(render(1).breast, render(2).breast)


@pytest.mark.parametrize("view", ["CC", "MLO"])
def test_chest_wall_is_on_the_named_side(view: View) -> None:
    left = render(3, "L", view)
    right = render(3, "R", view)

    assert left.breast[:, 0].mean() > 0.5
    assert not left.breast[:, -1].any()
    np.testing.assert_array_equal(left.breast, right.breast[:, ::-1])


@pytest.mark.parametrize("view", ["CC", "MLO"])
@pytest.mark.parametrize("laterality", ["L", "R"])
def test_air_is_black_except_for_the_marker(laterality: Laterality, view: View) -> None:
    """The marker is in the upper corner away from the chest wall."""
    image = render(4, laterality, view)

    rows, columns = np.nonzero((image.pixels > 20_000) & ~image.breast)
    assert len(rows) > 20
    assert rows.max() < 0.2 * SMALL.rows
    from_chest_wall = columns if laterality == "L" else SMALL.columns - 1 - columns
    assert from_chest_wall.min() > 0.55 * SMALL.columns

    below = image.pixels[int(0.2 * SMALL.rows) :][~image.breast[int(0.2 * SMALL.rows) :]]
    assert below.mean() < 0.01 * 65535


@pytest.mark.parametrize("kind", MALIGNANT)
@pytest.mark.parametrize("view", ["CC", "MLO"])
def test_cancer_mask_is_small_and_inside_breast(kind: FindingKind, view: View) -> None:
    image = render(5, "R", view, Finding(kind, lateral=0.4, height=-0.4))

    assert image.lesion is not None
    assert not (image.lesion & ~image.breast).any()

    height = np.ptp(np.flatnonzero(image.lesion.any(axis=1))) / np.ptp(
        np.flatnonzero(image.breast.any(axis=1))
    )
    assert 0.04 < height < 0.2


@pytest.mark.parametrize("kind", BENIGN)
def test_benign_finding_has_no_mask(kind: FindingKind) -> None:
    assert render(6, "L", "CC", Finding(kind)).lesion is None


def test_mask_leaves_out_look_alike_beside_cancer() -> None:
    cancer = Finding(FindingKind.MICROCALCIFICATIONS, lateral=-0.5)

    alone = render(7, "L", "CC", cancer).lesion
    beside = render(7, "L", "CC", cancer, Finding(FindingKind.ROUND_MASS, lateral=0.5)).lesion

    assert alone is not None
    assert beside is not None
    np.testing.assert_array_equal(alone, beside)


@pytest.mark.parametrize("kind", MALIGNANT)
def test_conspicuity_changes_only_the_cancer_itself(kind: FindingKind) -> None:
    """A more conspicuous cancer is brighter. Pixels far from it stay the same."""
    subtle = render(8, "L", "CC", Finding(kind, conspicuity=0.1))
    obvious = render(8, "L", "CC", Finding(kind, conspicuity=0.9))

    assert subtle.lesion is not None
    brighter = obvious.pixels.astype(int) - subtle.pixels
    assert brighter[subtle.lesion].mean() > 0.01 * 65535

    rows, columns = np.nonzero(subtle.lesion)
    near = np.s_[rows.min() - 40 : rows.max() + 40, max(0, columns.min() - 40) : columns.max() + 40]
    brighter[near] = 0
    assert not brighter.any()


@pytest.mark.parametrize(
    ("cancer", "look_alike"),
    [
        (FindingKind.SPICULATED_MASS, FindingKind.ROUND_MASS),
        (FindingKind.MICROCALCIFICATIONS, FindingKind.COARSE_CALCIFICATIONS),
    ],
)
def test_look_alike_is_as_bright_as_its_cancer(
    cancer: FindingKind, look_alike: FindingKind
) -> None:
    anatomy = sample_anatomy(np.random.default_rng(9), "CC", 0.5, 640, 480)

    peaks = [
        render_finding(np.random.default_rng(9), anatomy, "CC", Finding(kind)).attenuation.max()
        for kind in (cancer, look_alike)
    ]

    assert peaks[1] == pytest.approx(peaks[0], rel=0.2)


def test_finding_size_is_independent_of_the_matrix() -> None:
    """It keeps its share of the area of the breast."""
    shares = []
    for rows, columns in ((320, 240), (960, 720)):
        anatomy = sample_anatomy(np.random.default_rng(10), "CC", 0.5, rows, columns)
        mask = render_finding(
            np.random.default_rng(10), anatomy, "CC", Finding(FindingKind.SPICULATED_MASS)
        ).mask
        shares.append(mask.sum() / anatomy.breast().sum())

    assert shares[0] == pytest.approx(shares[1], rel=0.05)


@pytest.mark.parametrize("view", ["CC", "MLO"])
def test_clinical_size_shows_the_small_phantom(view: View) -> None:
    """On the grid of a model both are one picture, and noise and marker alone differ."""
    grid = (192, 256)
    shown = []
    for rows, columns in ((832, 640), (3328, 2560)):
        image = render_view(
            np.random.default_rng(12),
            view=view,
            findings=(Finding(FindingKind.MICROCALCIFICATIONS),),
            detector=Detector(rows, columns, noise=0.005),
        )
        assert image.lesion is not None
        breast = cv2.resize(image.breast.astype(np.float32), grid, interpolation=cv2.INTER_AREA)
        grey = cv2.resize(image.pixels / 65535, grid, interpolation=cv2.INTER_AREA)
        shown.append((grey, breast, image.lesion.sum() / image.breast.sum()))

    (small, small_breast, small_share), (large, large_breast, large_share) = shown
    inside = np.minimum(small_breast, large_breast) > 0.999
    assert np.abs(small_breast - large_breast).mean() < 0.005
    assert np.abs(small - large)[inside].mean() < 0.01
    assert np.corrcoef(small[inside], large[inside])[0, 1] > 0.99
    assert large_share == pytest.approx(small_share, rel=0.02)


def test_muscle_is_in_oblique_view_only() -> None:
    """It narrows downwards and stays within the skin."""
    oblique = sample_anatomy(np.random.default_rng(11), "MLO", 0.5, 640, 480)
    craniocaudal = sample_anatomy(np.random.default_rng(11), "CC", 0.5, 640, 480)

    assert oblique.muscle[0] > 0
    assert (np.diff(oblique.muscle) <= 0).all()
    assert oblique.muscle[-1] == 0
    assert (oblique.muscle <= oblique.skin).all()
    assert not craniocaudal.muscle.any()


def test_denser_breasts_are_brighter() -> None:
    def mean_grey(density: str) -> float:
        body = Body(density)  # type: ignore[arg-type]
        images = [
            render_view(np.random.default_rng(seed), body=body, detector=SMALL) for seed in range(6)
        ]
        return float(np.mean([image.pixels[image.breast].mean() for image in images]))

    greys = [mean_grey(density) for density in DENSITIES]

    assert greys == sorted(greys)
    assert greys[-1] > 1.15 * greys[0]


@pytest.mark.parametrize("beta", [1.5, 2.8])
def test_field_has_the_requested_power_law(beta: float) -> None:
    fields = [power_law_field(np.random.default_rng(seed), beta) for seed in range(8)]

    spectrum = np.mean([np.abs(np.fft.fft2(field)) ** 2 for field in fields], axis=0)
    frequency = np.hypot(np.fft.fftfreq(256)[:, None], np.fft.fftfreq(256)[None, :])
    band = (frequency > 0.02) & (frequency < 0.4)

    slope, _ = np.polyfit(np.log(frequency[band]), np.log(spectrum[band]), 1)
    assert slope == pytest.approx(-beta, abs=0.05)
    assert np.std(fields[0]) == pytest.approx(1, abs=1e-4)
