"""Usable cores, and the threads of NumPy's linear algebra."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from service.host.cores import usable_cores


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "100000 100000"}, 1),
        ({"cpu.max": "50000 100000"}, 1),
        ({"cpu.max": "max 100000"}, None),
        ({"cpu.max": "6400000 100000"}, None),
        ({"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}, 1),
        ({"cpu/cpu.cfs_quota_us": "20000", "cpu/cpu.cfs_period_us": "50000"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ({}, None),
    ],
)
def test_quota_of_the_container_limits_the_cores(
    tmp_path: Path, files: dict[str, str], cores: int | None
) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content + "\n")

    assert usable_cores(tmp_path) == (cores or len(os.sched_getaffinity(0)))


def test_fractional_quota_is_rounded_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    (tmp_path / "cpu.max").write_text("250000 100000\n")

    assert usable_cores(tmp_path) == 3


@pytest.mark.parametrize("module", ["service.cli", "mammolens"])
def test_commands_bound_threads_of_linear_algebra(module: str, tmp_path: Path) -> None:
    code = f"""
import {module} as command
from threadpoolctl import threadpool_info
command.main(["openapi", "--out", {str(tmp_path / "openapi.json")!r}])
print({{pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}})
"""
    environment = {name: value for name, value in os.environ.items() if "_THREADS" not in name}

    run = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment
    )

    assert run.stdout.strip() == "{1}"
