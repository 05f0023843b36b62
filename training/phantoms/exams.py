"""Phantom screening exams in the layout of the RSNA 2022 screening mammography challenge."""

import csv
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from service.records import Mask
from training.bars import bar
from training.errors import NotEmpty
from training.phantoms.anatomy import View
from training.phantoms.cohort import Breast, Patient, sample_patient
from training.phantoms.dicom_modules import PhantomIdentity
from training.phantoms.dicom_writer import to_dicom
from training.phantoms.finding import FindingKind
from training.phantoms.view import render_view

_VIEWS: tuple[View, View] = ("CC", "MLO")
_PATIENTS_PER_SEED = 100_000  # so that datasets of two seeds share no patient

Row = dict[str, str | int | bool]


def write_dataset(out: Path, *, patients: int, seed: int, cancer_rate: float, workers: int) -> None:
    """Write images, masks and table of `patients` patients below `out`.

    `train.csv` is written last, so that its presence shows a complete dataset. The files depend on
    `seed` and `cancer_rate`, not on `workers`. With the same seed, a smaller dataset is the
    beginning of a larger one.

    Raises:
        NotEmpty: `out` is not empty.
        ValueError: `patients` or `cancer_rate` is out of range.
    """
    if not 0 < patients <= _PATIENTS_PER_SEED:
        raise ValueError(f"The number of patients must be 1..{_PATIENTS_PER_SEED}, not {patients}.")
    if not 0 <= cancer_rate <= 1:
        raise ValueError(f"The cancer rate is a share of the patients, 0..1, not {cancer_rate}.")
    if out.exists() and any(out.iterdir()):
        raise NotEmpty(f"{out} is not empty: delete it, or choose another directory.")

    out.mkdir(parents=True, exist_ok=True)
    rows_by_patient = _map_in_order(
        partial(_write_patient, out, seed, cancer_rate), patients, workers
    )
    rows = [
        row
        for patient_rows in bar(
            rows_by_patient, "phantoms", total=patients, unit="patient", leave=True
        )
        for row in patient_rows
    ]

    with (out / "train.csv").open("w", newline="", encoding="utf-8") as table:
        writer = csv.DictWriter(table, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def _map_in_order(
    write: Callable[[int], list[Row]], patients: int, workers: int
) -> Iterator[list[Row]]:
    """Yield the rows of each patient, in the order of the patients, from one or more workers."""
    if workers == 1:
        yield from map(write, range(patients))
        return

    spawn = get_context("spawn")
    with ProcessPoolExecutor(
        workers, mp_context=spawn, initializer=cv2.setNumThreads, initargs=(1,)
    ) as pool:
        yield from pool.map(write, range(patients), chunksize=4)


def _write_patient(out: Path, seed: int, cancer_rate: float, index: int) -> list[Row]:
    """Write the images and masks of one patient below `out`. Return the rows of the table."""
    rng = np.random.default_rng([seed, index])
    patient = sample_patient(rng, seed * _PATIENTS_PER_SEED + index, cancer_rate)
    exam = [(breast, view) for breast in patient.breasts for view in _VIEWS]

    rows = []
    for number, (breast, view) in enumerate(exam):
        image_id = patient.patient_id * len(exam) + number
        _write_image(rng, out, patient, (breast, view), image_id)
        rows.append(_row(patient, breast, view, image_id))
    return rows


def _write_image(
    rng: np.random.Generator,
    out: Path,
    patient: Patient,
    projection: tuple[Breast, View],
    image_id: int,
) -> None:
    """Write one image as DICOM, and the masks of its breast and its cancers."""
    breast, view = projection
    name = f"{patient.patient_id}/{image_id}"
    image = render_view(
        rng,
        laterality=breast.laterality,
        view=view,
        findings=breast.findings,
        body=patient.body,
        detector=patient.machine.detector,
    )

    dataset = to_dicom(
        image,
        patient.machine.acquisition,
        PhantomIdentity(patient.patient_id, image_id, patient.age),
    )
    dataset.save_as(_with_parents(out / "train_images" / f"{name}.dcm"), enforce_file_format=True)

    _write_mask(_with_parents(out / "breast_masks" / f"{name}.png"), image.breast)
    if image.lesion is not None:
        _write_mask(_with_parents(out / "lesion_masks" / f"{name}.png"), image.lesion)


def _with_parents(path: Path) -> Path:
    """Create the parent directories of the path and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _write_mask(path: Path, mask: Mask) -> None:
    """Write the mask as an 8-bit PNG, 255 inside and 0 outside."""
    _, png = cv2.imencode(".png", mask.astype(np.uint8) * 255)
    path.write_bytes(png.tobytes())


def _row(patient: Patient, breast: Breast, view: View, image_id: int) -> Row:
    """Return the row of one image.

    As in the RSNA challenge, `cancer`, `biopsy` and `BIRADS` refer to the breast, not to the image.
    """
    look_alike = bool(breast.findings) and not breast.cancer

    return {
        "site_id": patient.machine.site_id,
        "patient_id": patient.patient_id,
        "image_id": image_id,
        "laterality": breast.laterality,
        "view": view,
        "age": patient.age,
        "cancer": int(breast.cancer),
        "biopsy": int(breast.cancer),
        "invasive": int(
            any(finding.kind is FindingKind.SPICULATED_MASS for finding in breast.findings)
        ),
        "BIRADS": 0 if breast.cancer else 2 if look_alike else 1,
        "implant": 0,
        "density": patient.body.density,
        "machine_id": patient.machine.machine_id,
        "difficult_negative_case": look_alike,
    }
