"""The audit file and its fingerprints."""

import fcntl
import hashlib
import hmac
import json
import os
import stat
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from service.host import file_lock
from service.observability.audit import Audit, AuditLost, AuditRecord
from tests.support.paths import ROOT

KEY = "a key of more than thirty-two characters"
LINE = AuditRecord(
    "2026-01-01T00:00:00.000+00:00", "id", "-", "/predict", "fake", 1, "ab", "cd", "ok", 200
)

LINE_BYTES = len(json.dumps(asdict(LINE))) + 1

BEGIN = f"""
import resource, sys
from pathlib import Path
from service.observability import audit as module
KEY = {KEY!r}
LINE = module.{LINE!r}
"""
FULL = f"""{BEGIN}
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
audit = module.Audit(Path(sys.argv[1]), KEY)
audit.write(LINE)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), most))
for _ in range(2):
    try:
        audit.write(LINE)
    except module.AuditLost as error:
        print(error)
print(Path(sys.argv[1]).stat().st_size, audit.is_failing, audit.lost_lines)
audit._next_trial = 0.0
try:
    audit.check()
except module.AuditLost as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
audit._next_trial = 0.0
audit.check()
print(Path(sys.argv[1]).stat().st_size, audit.is_failing)
audit.write(LINE)
"""
"""Program whose second line does not fit: a bound on the size of files acts as a full disk does."""


def test_fingerprint_is_hmac_of_image(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "audit.jsonl", KEY)
    expected = hmac.new(KEY.encode(), b"image", hashlib.sha256).hexdigest()

    assert audit.fingerprint(b"image") == expected
    assert Audit(tmp_path / "audit.jsonl", KEY[::-1]).fingerprint(b"image") != expected


def test_file_is_private_with_any_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Audit(tmp_path / "audit.jsonl", KEY)
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "audit.jsonl").stat().st_mode) == 0o600


def test_concurrent_lines_are_appended_whole(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_text("before\n")
    audit = Audit(path, KEY)

    def write() -> None:
        for _ in range(50):
            audit.write(LINE)

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    first, *lines = path.read_text().splitlines()
    assert first == "before"
    assert [json.loads(line) for line in lines] == [asdict(LINE)] * 200


def test_rotated_file_is_created_again(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    audit = Audit(path, KEY)
    audit.write(LINE)

    path.rename(tmp_path / "audit.jsonl.1")
    audit.write(LINE)

    assert path.read_text() == (tmp_path / "audit.jsonl.1").read_text() != ""


def test_failed_write_raises_audit_lost(tmp_path: Path) -> None:
    with pytest.raises(AuditLost, match="No space left"):
        Audit(Path("/dev/full"), KEY).write(LINE)

    with pytest.raises(AuditLost, match="Is a directory"):
        Audit(tmp_path, KEY)


def test_cut_line_is_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    limit = LINE_BYTES + 40  # the kernel takes 40 bytes of the second line

    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path), str(limit)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    *errors, after, trial, recovered = done.stdout.splitlines()
    reason = f"The audit log {path} cannot be written: File too large."
    assert errors == [reason, reason]
    assert after == f"{LINE_BYTES} True 2"
    assert trial == reason
    assert recovered == f"{LINE_BYTES} False"
    assert [json.loads(line) for line in path.read_text().splitlines()] == [asdict(LINE)] * 2


def test_line_after_a_part_starts_anew(tmp_path: Path) -> None:
    """The part may be that of a service that was killed while it wrote."""
    path = tmp_path / "audit.jsonl"
    path.write_text('{"time": "20')

    Audit(path, KEY).write(LINE)

    part, line = path.read_text().splitlines()
    assert part == '{"time": "20'
    assert json.loads(line) == asdict(LINE)


def test_services_share_one_file(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    program = f"""{BEGIN}
audit = module.Audit(Path(sys.argv[1]), KEY)
for _ in range(200):
    audit.write(LINE)
"""

    command = [sys.executable, "-c", program, str(path)]
    writers = [subprocess.Popen(command, cwd=ROOT) for _ in range(2)]
    codes = [writer.wait() for writer in writers]

    assert codes == [0, 0]
    assert [json.loads(line) for line in path.read_text().splitlines()] == [asdict(LINE)] * 400


def test_lock_of_another_program_ends_the_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit = Audit(tmp_path / "audit.jsonl", KEY)
    monkeypatch.setattr(file_lock, "LOCK_SECONDS", 0.05)

    with (tmp_path / "audit.jsonl").open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        start = time.monotonic()
        with pytest.raises(AuditLost, match="cannot be locked: Resource temporarily unavailable"):
            audit.write(LINE)

    assert time.monotonic() - start < 2


def test_trials_are_at_most_one_a_second() -> None:
    audit = Audit(Path("/dev/full"), KEY)
    with pytest.raises(AuditLost):
        audit.write(LINE)
    audit._path = Path("/dev/null")

    with pytest.raises(AuditLost):
        audit.check()
    audit._next_trial = time.monotonic()
    audit.check()

    assert not audit.is_failing


def test_lines_of_an_exam_are_written_together(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "audit.jsonl", KEY)

    audit.write(replace(LINE, exam="e1"), replace(LINE, exam="e1", outcome="no-breast"))

    written = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert [(line["exam"], line["outcome"]) for line in written] == [
        ("e1", "ok"),
        ("e1", "no-breast"),
    ]


def test_lost_exam_counts_each_line() -> None:
    audit = Audit(Path("/dev/full"), KEY)

    with pytest.raises(AuditLost):
        audit.write(LINE, LINE, LINE)

    assert audit.lost_lines == 3
