"""`mammolens score` as a process: its help, its messages, and its end by SIGKILL."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from service.runtime.scoring.scoring_command import main
from tests.support.archive_parts import PATIENTS, read_tables, write_archive
from tests.support.paths import ROOT

pytestmark = pytest.mark.usefixtures("restored_logging")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of 64 images, which are four parts."""
    return write_archive(tmp_path_factory.mktemp("source"))


def begin(source: Path, out: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "service", "score", "fake", str(source), "--out", str(out)],
        cwd=ROOT,
        env={**os.environ, "MAMMOLENS_READERS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_for_parts(out: Path, parts: int) -> None:
    deadline = time.monotonic() + 60
    while len([*out.glob("parts/*.parquet")]) < parts:
        assert time.monotonic() < deadline, "no part was written"
        time.sleep(0.002)


def test_killed_scoring_ends_as_an_uninterrupted_one(source: Path, tmp_path: Path) -> None:
    killed = tmp_path / "killed"
    with begin(source, killed) as process:
        wait_for_parts(killed, 1)
        process.kill()
    main(["fake", str(source), "--out", str(killed)])

    main(["fake", str(source), "--out", str(tmp_path / "whole")])

    assert len(read_tables(killed)["images"]) == 4 * PATIENTS
    assert read_tables(killed) == read_tables(tmp_path / "whole")


def test_summary_counts_images_and_exams(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["fake", str(archive), "--out", str(tmp_path)])

    told = capsys.readouterr().out
    assert code == 0
    assert "images: 9, of which " in told
    assert "2 refused" in told
    assert "  corrupt-image: 1" in told
    assert "exams: 3, of which " in told


def test_second_call_says_that_all_is_done(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["fake", str(archive), "--out", str(tmp_path)])

    assert main(["fake", str(archive), "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out.endswith(f"{tmp_path} is complete already.\n")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nowhere", "."], "There is no model bundle"),
        (["fake", "/nowhere"], "neither a folder nor a table"),
        (["fake", "/nowhere.csv"], "cannot be read: No such file"),
    ],
)
def test_refusal_names_its_reason(
    arguments: list[str], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main([*arguments, "--out", str(tmp_path / "out")])

    assert code == 1
    assert reason in capsys.readouterr().err
    assert not (tmp_path / "out" / "scoring.json").exists()
