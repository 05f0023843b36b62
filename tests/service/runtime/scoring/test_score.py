"""Scoring of an archive with the fake model: results, refusals, interruptions."""

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient
from pyarrow import parquet

from service.errors import OtherScoring, ScoringBusy
from service.runtime.scoring import local_engine
from service.runtime.scoring.archive_scoring import ScoringRequest, score
from service.runtime.scoring.listing_parts import ScoredPart
from service.runtime.scoring.run_folder import RunFolder
from service.settings import FAKE, Settings
from tests.support.exam_files import STANDARD_VIEWS, exam_file

Rows = list[dict[str, Any]]


def request_of(source: Path, out: Path, **options: Any) -> ScoringRequest:
    return ScoringRequest(Settings(model=FAKE, readers=1), str(source), out, **options)


def tables(out: Path) -> Mapping[str, pa.Table]:
    return {
        name: parquet.read_table(out / f"{name}.parquet") for name in ("images", "breasts", "exams")
    }


@pytest.fixture(scope="module")
def scored(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the results of the archive."""
    out = tmp_path_factory.mktemp("scored")
    score(request_of(archive, out, regions=True))
    return out


@pytest.fixture(scope="module")
def images(scored: Path) -> Rows:
    rows: Rows = tables(scored)["images"].to_pylist()
    return rows


def test_every_image_has_one_row(images: Rows) -> None:
    assert [row["number"] for row in images] == list(range(9))


def test_image_has_the_answer_of_the_service(
    images: Rows, archive: Path, client: TestClient
) -> None:
    data = (archive / "patient-1" / "LMLO").read_bytes()
    answer = client.post("/gradcam", content=data, headers={"content-type": "application/dicom"})

    row = images[1]
    told = answer.json()
    assert row["probability"] == pytest.approx(
        told["prediction"]["probabilities"]["cancer"], abs=1e-6
    )
    assert row["positive"] == told["prediction"]["positive"]
    assert row["warnings"] == told["warnings"]
    assert row["heat"] == told["state"]
    assert [region["box"] for region in row["regions"]] == [
        pytest.approx(region["box"], abs=0.1) for region in told["regions"]
    ]
    assert {one["name"]: pytest.approx(one["value"], rel=1e-3) for one in row["diagnostics"]} == {
        name: one["value"] for name, one in told["diagnostics"].items()
    }


def test_exam_has_the_answer_of_the_service(scored: Path, client: TestClient) -> None:
    files = [("file", ("image", exam_file(side, view))) for side, view in STANDARD_VIEWS]
    told = client.post("/exam", files=files).json()

    exam = tables(scored)["exams"].to_pylist()[0]
    breasts = tables(scored)["breasts"].to_pylist()[:2]

    assert exam["exam"] == "study-0"
    assert exam["probability"] == pytest.approx(told["exam"]["probability"], abs=1e-6)
    assert exam["positive"] == told["exam"]["positive"]
    assert exam["driven_by"] == told["exam"]["driven_by"]
    assert exam["views"] == ["L-CC", "L-MLO", "R-CC", "R-MLO"]
    assert {row["laterality"]: row["images"] for row in breasts} == {"L": [0, 1], "R": [2, 3]}


def test_refused_images_tell_their_problem(images: Rows) -> None:
    cut, junk = images[6], images[8]

    assert cut["problem"]["slug"] == "corrupt-image"
    assert junk["problem"]["slug"] == "unsupported-format"
    assert junk["probability"] is None
    assert junk["exam"] is None


def test_refused_image_stays_in_its_study(images: Rows, scored: Path) -> None:
    exam = tables(scored)["exams"].to_pylist()[1]

    assert images[6]["exam"] == exam["exam"] == "study-4"
    assert (exam["images"], exam["refused"]) == (3, 1)
    assert exam["missing_views"] == ["R-CC", "R-MLO"]


def test_images_without_study_share_a_folder(images: Rows, archive: Path) -> None:
    assert images[7]["exam"].endswith(f"{archive}/scans")
    assert images[7]["laterality_source"] == "file-name"


def test_tables_name_no_patient(scored: Path) -> None:
    written = b"".join(path.read_bytes() for path in scored.iterdir())

    assert not {"study", "patient", "instance"} & {*tables(scored)["images"].column_names}
    assert b"1.2.826" not in written
    assert {path.name for path in scored.iterdir()} == {
        ".lock", "scoring.json", "images.parquet", "breasts.parquet", "exams.parquet",
    }  # fmt: skip


def test_missing_and_large_files_are_refused(tmp_path: Path, mammogram_png: bytes) -> None:
    (tmp_path / "large.png").write_bytes(mammogram_png)
    (tmp_path / "table.csv").write_text("path\ngone.png\nlarge.png\n.\n", "utf-8")
    settings = Settings(model=FAKE, readers=1, max_upload_bytes=1000)

    score(ScoringRequest(settings, str(tmp_path / "table.csv"), tmp_path / "out"))

    problems = tables(tmp_path / "out")["images"]["problem"].to_pylist()
    assert [problem["slug"] for problem in problems] == [
        "unreadable-file", "file-too-large", "unreadable-file",
    ]  # fmt: skip


def test_files_of_two_patients_are_no_exam(tmp_path: Path) -> None:
    for patient in (1, 2):
        (tmp_path / f"{patient}.dcm").write_bytes(exam_file("L", "CC", patient))
    (tmp_path / "table.csv").write_text("path,patient_id\n1.dcm,x\n2.dcm,x\n", "utf-8")

    score(request_of(tmp_path / "table.csv", tmp_path / "out"))

    (exam,) = tables(tmp_path / "out")["exams"].to_pylist()
    assert exam["problem"]["slug"] == "mixed-exam"
    assert exam["probability"] is None
    assert tables(tmp_path / "out")["breasts"].num_rows == 0


def test_second_copy_does_not_count(tmp_path: Path) -> None:
    for name in ("a.dcm", "b.dcm"):
        (tmp_path / name).write_bytes(exam_file("L", "CC"))

    score(request_of(tmp_path, tmp_path / "out"))

    reasons = tables(tmp_path / "out")["images"]["not_counted"].to_pylist()
    assert sorted(reasons, key=str) == [None, "duplicate"]


def interrupt_after(monkeypatch: pytest.MonkeyPatch, parts: int) -> None:
    """Let scorings end by Ctrl-C after that many parts."""
    stream = local_engine.stream

    def interrupted(*arguments: Any) -> Iterator[ScoredPart]:
        yield from islice(stream(*arguments), parts)
        raise KeyboardInterrupt

    monkeypatch.setattr(local_engine, "stream", interrupted)


def test_interrupted_scoring_goes_on(
    many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    with monkeypatch.context() as patched:
        interrupt_after(patched, parts=1)
        with pytest.raises(KeyboardInterrupt):
            score(request_of(many, out))
    done = RunFolder(out).part(0).stat().st_mtime_ns

    with monkeypatch.context() as patched:
        interrupt_after(patched, parts=1)
        with pytest.raises(KeyboardInterrupt):
            score(request_of(many, out))
    is_kept = RunFolder(out).part(0).stat().st_mtime_ns == done
    score(request_of(many, out))

    score(request_of(many, tmp_path / "whole"))
    assert is_kept
    assert tables(out) == tables(tmp_path / "whole")


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Folder of 40 small images, which are three parts."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(40):
        side, view = STANDARD_VIEWS[number % 4]
        (folder / f"{number:02d}.dcm").write_bytes(exam_file(side, view, 1 + number // 4))
    return folder


def test_other_facts_are_refused(archive: Path, scored: Path) -> None:
    with pytest.raises(OtherScoring, match="regions is True there and False now"):
        score(request_of(archive, scored))


def test_complete_scoring_is_not_repeated(archive: Path, scored: Path) -> None:
    before = (scored / "images.parquet").stat().st_mtime_ns

    assert score(request_of(archive, scored, regions=True)) is None
    assert (scored / "images.parquet").stat().st_mtime_ns == before


def test_folder_in_use_is_refused(archive: Path, tmp_path: Path) -> None:
    with RunFolder(tmp_path).held(), pytest.raises(ScoringBusy, match="Another process"):
        score(request_of(archive, tmp_path))


def test_facts_name_the_model(scored: Path) -> None:
    facts = json.loads((scored / "scoring.json").read_text("utf-8"))

    assert (facts["model"], facts["version"], facts["images"]) == ("fake", 1, 9)
    assert len(facts["digest"]) == 64
