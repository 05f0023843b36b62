from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from training.evaluation.floor import (
    PENALTY,
    FloorInput,
    FloorKind,
    fit_floors,
    measure_pictures,
)
from training.evaluation.statistics import Labels


def images(
    count: int = 200, *, columns: Mapping[str, Sequence[str]] | None = None, seed: int = 0
) -> FloorInput:
    rng = np.random.default_rng(seed)
    return FloorInput(columns or {}, rng.random((count, 3)), rng.random((count, 256)))


def labels_of(count: int = 200, *, seed: int = 1) -> Labels:
    return (np.random.default_rng(seed).random(count) < 0.3).astype(np.int32)


def test_pictures_are_measured_within_the_breast() -> None:
    image = np.zeros((1, 32, 64, 1), np.float32)
    mask = np.zeros((32, 64), bool)
    mask[:, :16] = True
    image[0, :16, :16] = 0.2
    image[0, 16:, :16] = 0.6
    image[0, 0, 63] = 1  # a marker in the air

    brightness, _ = measure_pictures([(image, [mask])])

    assert brightness[0] == pytest.approx([0.4, 0.2, 0.25])


def test_thumbnail_is_mean_of_blocks() -> None:
    image = np.random.default_rng(0).random((2, 32, 64, 1)).astype(np.float32)
    mask = np.ones((32, 64), bool)

    _, thumbnails = measure_pictures([(image[:1], [mask]), (image[1:], [mask])])

    blocks = image.reshape(2, 16, 2, 16, 4).mean(axis=(2, 4))
    assert thumbnails == pytest.approx(blocks.reshape(2, 256), abs=1e-6)


def test_image_without_breast_has_no_brightness() -> None:
    image = np.ones((1, 16, 16, 1), np.float32)

    brightness, _ = measure_pictures([(image, [np.zeros((16, 16), bool)])])

    assert brightness.tolist() == [[0, 0, 0]]


def test_floor_equals_a_regression_on_hand_made_features() -> None:
    rng = np.random.default_rng(2)
    ages = rng.integers(40, 80, size=200).astype(float)
    known = rng.random(200) < 0.9
    machines = rng.choice(["a", "b", "c"], size=200)
    columns = {
        "age": [str(age) if there else "" for age, there in zip(ages, known, strict=True)],
        "machine": machines.tolist(),
    }
    labels = (rng.random(200) < np.where(machines == "a", 0.6, 0.2)).astype(np.int32)

    floor = fit_floors(images(columns=columns), labels)[FloorKind.METADATA]

    filled = np.where(known, ages, ages[known].mean())
    features = np.stack([filled, ~known, *(machines == name for name in "abc")], axis=1)
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    regression = LogisticRegression(C=PENALTY, tol=1e-8).fit(features, labels)
    assert floor.score(images(columns=columns)) == pytest.approx(
        regression.predict_proba(features)[:, 1], abs=1e-4
    )


def test_each_kind_knows_its_own_part() -> None:
    labels = labels_of()
    know = images(columns={"view": ["CC" if label else "MLO" for label in labels]})
    know.brightness[:, 0] += labels
    know.thumbnails[:, 40] += labels
    blind = images(columns={"view": ["CC"] * 200}, seed=3)

    floors = fit_floors(know, labels)

    sources = {
        FloorKind.METADATA: FloorInput(know.columns, blind.brightness, blind.thumbnails),
        FloorKind.BRIGHTNESS: FloorInput(blind.columns, know.brightness, blind.thumbnails),
        FloorKind.THUMBNAIL: FloorInput(blind.columns, blind.brightness, know.thumbnails),
    }
    assert floors.keys() == set(FloorKind)
    for kind, source in sources.items():
        assert roc_auc_score(labels, floors[kind].score(source)) > 0.95
        assert floors[kind].score(source) == pytest.approx(floors[kind].score(know))
    assert roc_auc_score(labels, floors[FloorKind.ALL].score(know)) > 0.99


def test_table_without_columns_has_no_metadata_floor() -> None:
    floors = fit_floors(images(), labels_of())

    assert floors.keys() == {FloorKind.BRIGHTNESS, FloorKind.THUMBNAIL, FloorKind.ALL}


def test_unseen_names_and_missing_numbers_are_scored() -> None:
    labels = labels_of()
    ages = [str(40 + index % 40) for index in range(200)]
    seen = images(columns={"machine": ["a", "b"] * 100, "age": ages})
    unseen = images(
        4, columns={"machine": ["z", "", "a", "b"], "age": ["", "nan", "unknown", "50"]}
    )

    for floor in fit_floors(seen, labels).values():
        scores = floor.score(unseen)
        assert ((scores > 0) & (scores < 1)).all()


def test_floors_settle_on_hard_data() -> None:
    """Separable, constant, missing and very large features. A warning would be an error."""
    labels = labels_of(60)
    columns = {
        "copy": [str(label) for label in labels],
        "constant": ["x"] * 60,
        "empty": [""] * 60,
        "dose": [str(1e9 * (index + label)) for index, label in enumerate(labels)],
        "patient_id": [str(index) for index in range(60)],
    }
    hard = images(60, columns=columns)
    hard.brightness[:] = 0
    hard.thumbnails[:, :128] = labels[:, None]
    hard.thumbnails[:, 128:] = 0

    floors = fit_floors(hard, labels)

    assert roc_auc_score(labels, floors[FloorKind.ALL].score(hard)) == 1


def test_chance_is_the_floor_of_noise() -> None:
    labels = labels_of(600)
    test = labels_of(600, seed=5)

    floors = fit_floors(images(600), labels)

    for floor in floors.values():
        assert 0.42 < roc_auc_score(test, floor.score(images(600, seed=6))) < 0.58
