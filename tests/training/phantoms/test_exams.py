import csv
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from sklearn.metrics import roc_auc_score

from training.phantoms import Detector, FindingKind, NotEmpty, render_view, write_dataset
from training.phantoms.cohort import sample_patient

RSNA_COLUMNS = (
    "site_id,patient_id,image_id,laterality,view,age,cancer,biopsy,invasive,BIRADS,implant,"
    "density,machine_id,difficult_negative_case"
)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("phantoms")
    write_dataset(out, patients=3, seed=5, cancer_rate=0.7, workers=1)
    return out


def table(out: Path) -> list[dict[str, str]]:
    with (out / "train.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def files(out: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def test_table_has_rsna_columns_and_four_views(dataset: Path) -> None:
    """Each patient has the four views, in one fixed order."""
    rows = table(dataset)

    assert (dataset / "train.csv").read_text().splitlines()[0] == RSNA_COLUMNS
    assert len({row["image_id"] for row in rows}) == len(rows) == 12
    for patient in {row["patient_id"] for row in rows}:
        views = [(row["laterality"], row["view"]) for row in rows if row["patient_id"] == patient]
        assert views == [("L", "CC"), ("L", "MLO"), ("R", "CC"), ("R", "MLO")]


def test_views_of_a_breast_share_the_label(dataset: Path) -> None:
    """The dataset has both classes."""
    rows = table(dataset)

    for row, twin in zip(rows[::2], rows[1::2], strict=True):
        assert (row["laterality"], row["cancer"], row["biopsy"]) == (
            twin["laterality"],
            twin["cancer"],
            row["cancer"],
        )
    assert {row["cancer"] for row in rows} == {"0", "1"}


def test_rows_have_images_and_masks(dataset: Path) -> None:
    """Every row has an image and a breast mask. Only cancers have a lesion mask."""
    for row in table(dataset):
        name = f"{row['patient_id']}/{row['image_id']}"
        header = pydicom.dcmread(dataset / "train_images" / f"{name}.dcm", stop_before_pixels=True)
        assert (header.PatientID, header.ImageLaterality, header.ViewPosition) == (
            row["patient_id"],
            row["laterality"],
            row["view"],
        )

        breast = cv2.imread(str(dataset / "breast_masks" / f"{name}.png"), cv2.IMREAD_UNCHANGED)
        assert breast is not None
        assert breast.shape == (header.Rows, header.Columns)
        assert set(np.unique(breast)) == {0, 255}

        lesion_mask = dataset / "lesion_masks" / f"{name}.png"
        assert lesion_mask.exists() == (row["cancer"] == "1")
        if lesion_mask.exists():
            lesion = cv2.imread(str(lesion_mask), cv2.IMREAD_UNCHANGED)
            assert lesion is not None
            assert (lesion <= breast).all()
            assert lesion.any()


def test_files_do_not_depend_on_worker_count(dataset: Path, tmp_path: Path) -> None:
    write_dataset(tmp_path, patients=3, seed=5, cancer_rate=0.7, workers=2)

    assert files(tmp_path) == files(dataset)


def test_smaller_dataset_begins_larger_one(dataset: Path, tmp_path: Path) -> None:
    write_dataset(tmp_path, patients=1, seed=5, cancer_rate=0.7, workers=1)

    smaller = files(tmp_path)
    larger = files(dataset)
    assert larger.pop("train.csv").startswith(smaller.pop("train.csv"))
    assert smaller.items() <= larger.items()


def test_another_seed_gives_other_patients(dataset: Path, tmp_path: Path) -> None:
    write_dataset(tmp_path, patients=1, seed=6, cancer_rate=0.7, workers=1)

    assert not {row["patient_id"] for row in table(tmp_path)} & {
        row["patient_id"] for row in table(dataset)
    }


def test_nonempty_directory_is_refused_and_unchanged(dataset: Path) -> None:
    before = files(dataset)

    with pytest.raises(NotEmpty, match="choose another directory"):
        write_dataset(dataset, patients=1, seed=1, cancer_rate=0.5, workers=1)

    assert files(dataset) == before


@pytest.mark.parametrize(("patients", "cancer_rate"), [(0, 0.5), (1, 1.5), (1, -0.1)])
def test_numbers_out_of_range_are_refused(
    tmp_path: Path, patients: int, cancer_rate: float
) -> None:
    with pytest.raises(ValueError, match=r"must be|is a share"):
        write_dataset(tmp_path, patients=patients, seed=1, cancer_rate=cancer_rate, workers=1)


def test_cancer_rate_is_the_share_of_patients() -> None:
    """No patient has a cancer in both breasts."""
    for rate, tolerance in ((0.0, 0.0), (0.3, 0.05), (1.0, 0.0)):
        patients = [sample_patient(np.random.default_rng([1, i]), i, rate) for i in range(1000)]
        affected = np.array(
            [sum(breast.cancer for breast in patient.breasts) for patient in patients]
        )

        assert affected.max(initial=0) <= 1
        assert affected.mean() == pytest.approx(rate, abs=tolerance)


def test_machine_density_and_age_do_not_predict_cancer() -> None:
    patients = [sample_patient(np.random.default_rng([2, i]), i, 0.5) for i in range(3000)]
    cancer = np.array([any(breast.cancer for breast in patient.breasts) for patient in patients])

    for trait in (
        np.array([patient.machine.machine_id for patient in patients]),
        np.array([patient.body.density for patient in patients]),
        np.array([patient.age // 20 for patient in patients]),
    ):
        for value in np.unique(trait):
            among = trait == value
            # Five standard errors of a share of one half.
            assert cancer[among].mean() == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(among.sum()))


def test_every_fourth_patient_has_clinical_size() -> None:
    patients = [sample_patient(np.random.default_rng([5, i]), i, 0.5) for i in range(1000)]

    large = [patient.machine.detector.rows >= 3000 for patient in patients]

    assert 0.2 < np.mean(large) < 0.3


def test_all_finding_kinds_occur() -> None:
    """Look-alikes occur in 30 to 60 % of the breasts without cancer."""
    breasts = [
        breast
        for i in range(500)
        for breast in sample_patient(np.random.default_rng([3, i]), i, 0.5).breasts
    ]

    assert {finding.kind for breast in breasts for finding in breast.findings} == set(FindingKind)

    normal = [breast for breast in breasts if not breast.cancer]
    assert 0.3 < np.mean([bool(breast.findings) for breast in normal]) < 0.6


def test_brightness_alone_does_not_reveal_cancer() -> None:
    cancer = []
    features = []
    for index in range(200):
        rng = np.random.default_rng([4, index])
        patient = sample_patient(rng, index, 0.5)
        for breast in patient.breasts:
            detector = Detector(
                320, 240, patient.machine.detector.gamma, patient.machine.detector.noise
            )
            image = render_view(rng, findings=breast.findings, body=patient.body, detector=detector)

            grey = image.pixels[image.breast]
            features.append(
                [
                    grey.max(),
                    np.percentile(grey, 99.9),
                    np.percentile(grey, 99),
                    grey.mean(),
                    grey.std(),
                ]
            )
            cancer.append(breast.cancer)

    scores = [roc_auc_score(cancer, feature) for feature in np.array(features).T]
    assert max(scores) < 0.75
