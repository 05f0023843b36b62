"""The audit file and its fingerprints."""

import hashlib
import hmac
import json
import os
import stat
import threading
from dataclasses import asdict
from pathlib import Path

import pytest

from service.observability.audit import Audit, AuditLost, AuditRecord

KEY = "a key of more than thirty-two characters"
LINE = AuditRecord(
    "2026-01-01T00:00:00.000+00:00", "id", "-", "/predict", "fake", 1, "ab", "cd", "ok", 200
)


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
