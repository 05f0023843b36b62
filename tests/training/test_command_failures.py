"""Failures of the commands: one sentence, an exit code, and no traceback."""

import argparse
import errno
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import keras
import pytest

from tests.support.paths import ROOT
from training.command_failures import exit_code, storage_failure
from training.commands import main
from training.config_files import load_experiment
from training.data.prepare import prepare
from training.data.table import load_records
from training.errors import RunError
from training.fit.checkpoint import load_checkpoint
from training.fit.run import Run
from training.networks.keras_backend import chosen_backend, prepare_backend

FILE_LIMIT = 20_000  # bytes: less than a checkpoint, more than the other files of a run


@pytest.fixture(scope="module")
def toml(write_experiment: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy experiment, with its images prepared."""
    path = write_experiment(
        tmp_path_factory.mktemp("failures") / "toy.toml", ("epochs = 4", "epochs = 1")
    )
    experiment = load_experiment(path)
    prepare(load_records(experiment), experiment, workers=2)
    return path


def run_command(
    arguments: list[str], *, limit: int | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command. `limit`: max. bytes of a file that it may write, as on a full disk."""

    def bound() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [sys.executable, "-m", "training", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        preexec_fn=bound,
        capture_output=True,
        text=True,
        check=False,
    )


def one_sentence(errors: str) -> str:
    """Return the only line on standard error, apart from bars."""
    (line,) = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert "Traceback" not in errors
    return line


@pytest.mark.interop
def test_full_disk_says_how_to_go_on(toml: Path, tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    training = ["train", str(toml), "--run", str(run.directory)]

    stopped = run_command(training, limit=FILE_LIMIT)
    again = run_command(training)
    evaluation = run_command(["evaluate", str(run.directory)], limit=10)

    assert stopped.returncode == 2
    message = one_sentence(stopped.stderr)
    assert f"The disk of {run.directory} is full" in message
    assert "goes on from the last complete epoch" in message
    assert again.returncode == 0
    assert run.best_model.exists()
    assert evaluation.returncode == 2
    assert f"The disk of {run.directory} is full" in one_sentence(evaluation.stderr)


@pytest.mark.parametrize("content", [None, b"", b"not a checkpoint"])
def test_damaged_checkpoint_is_named(content: bytes | None, tmp_path: Path) -> None:
    learner = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    learner.compile(optimizer="adam", loss="mse")
    checkpoint = tmp_path / "checkpoint-001.weights.h5"
    if content is not None:
        checkpoint.write_bytes(content)

    with pytest.raises(RunError, match=r"checkpoint-001.* is missing or damaged: delete the run"):
        load_checkpoint(learner, checkpoint)


@pytest.mark.usefixtures("toml")
def test_interrupted_training_says_how_to_go_on(
    write_experiment: Callable[..., Path], tmp_path: Path
) -> None:
    long = write_experiment(
        tmp_path / "long.toml", ("epochs = 4", "epochs = 900"), ("patience = 4", "patience = 900")
    )
    run = Run(tmp_path / "run")
    command = [sys.executable, "-m", "training", "train", str(long), "--run", str(run.directory)]

    # A shell that starts the tests in the background makes them, and their children, ignore Ctrl-C.
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed,  # noqa: PLW1509 - no other thread runs here
    ) as process:
        deadline = time.monotonic() + 120
        while not run.history.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)

    assert process.returncode == 130
    assert errors.endswith(
        "interrupted: run the same command again, which goes on from the last complete epoch.\n"
    )
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("command", "backend", "complaint"),
    [
        ("export runs/demo --out models/x/1", "jax", "needs the TensorFlow backend of Keras, not"),
        ("scorecard runs/demo", "torch", "was never tested on"),
        ("train demo.toml", "openvino", "was never tested on"),
    ],
)
def test_other_backend_is_refused_before_its_import(
    command: str, backend: str, complaint: str
) -> None:
    """Two of them are not installed here, so importing Keras would fail."""
    finished = run_command(command.split(), KERAS_BACKEND=backend)

    assert finished.returncode == 2
    message = one_sentence(finished.stderr)
    assert f"{complaint} {backend}" in message
    assert "KERAS_BACKEND=tensorflow" in message


def test_backend_of_kerass_own_file_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert chosen_backend() == "tensorflow"

    (tmp_path / "keras.json").write_text('{"backend": "jax"}')
    assert chosen_backend() == "jax"

    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    assert chosen_backend() == "tensorflow"


def test_absent_backend_is_told_with_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    absent = argparse.Namespace(step="train")

    def without_jax(_options: argparse.Namespace) -> None:
        raise ModuleNotFoundError(name="jax")

    assert exit_code(without_jax, absent) == 2
    assert one_sentence(capsys.readouterr().err) == (
        "error: jax is not installed here: run `make training-gpu` first, or run the command with "
        "KERAS_BACKEND=tensorflow."
    )


@pytest.mark.parametrize(
    ("named", "flags", "precision"),
    [
        ({}, "--xla_gpu_deterministic_ops=true", "float32"),
        (
            {"XLA_FLAGS": "--xla_dump_to=x", "JAX_DEFAULT_MATMUL_PRECISION": "tensorfloat32"},
            "--xla_dump_to=x --xla_gpu_deterministic_ops=true",
            "tensorfloat32",
        ),
        (
            {"XLA_FLAGS": "--xla_gpu_deterministic_ops=false"},
            "--xla_gpu_deterministic_ops=false",
            "float32",
        ),
    ],
)
def test_jax_is_asked_for_repeatable_float32(
    named: dict[str, str], flags: str, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings that the environment has are kept."""
    for name in ("XLA_FLAGS", "JAX_DEFAULT_MATMUL_PRECISION"):
        # Set first, so that the test leaves nothing behind.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    for name, value in {"KERAS_BACKEND": "jax", **named}.items():
        monkeypatch.setenv(name, value)

    prepare_backend("train")

    assert os.environ["XLA_FLAGS"] == flags
    assert os.environ["JAX_DEFAULT_MATMUL_PRECISION"] == precision


def options(step: str, **values: Path | None) -> argparse.Namespace:
    return argparse.Namespace(step=step, **values)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            PermissionError(errno.EACCES, "Permission denied", "runs/a/history.json"),
            "runs/a/history.json: you may not open or write it",
        ),
        (
            OSError(errno.EROFS, "Read-only file system", "/mnt/runs"),
            "/mnt/runs: its file system is read-only: name a path on another",
        ),
        (
            OSError(errno.EIO, "Input/output error", "runs/a/best.keras"),
            "runs/a/best.keras: Input/output error: check the path and the disk",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device", "data/out/a.dcm"),
            "The disk of data/out is full, or a quota on it is used up: free some space.",
        ),
        (
            OSError(errno.EDQUOT, "Quota exceeded"),
            "The disk of runs/a is full, or a quota on it is used up: free some space.",
        ),
    ],
)
def test_storage_failure_is_one_sentence(error: OSError, sentence: str) -> None:
    told = storage_failure(error, options("evaluate", run=Path("runs/a")))

    assert told is not None
    assert told.startswith(sentence)


def fail(_: argparse.Namespace) -> None:
    raise OSError("a mistake of the program")


def test_errors_of_the_program_keep_their_traceback() -> None:
    with pytest.raises(OSError, match="a mistake of the program"):
        exit_code(fail, options("evaluate", run=Path("runs/a")))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["train", "{toml}", "--run", "{file}"], "{file}: it exists already: name another path"),
        (["train", "{toml}", "--run", "{file}/run"], "a part of this path is a file"),
        (["train", "{toml}", "--run", "/proc/version/run"], "a part of this path is a file"),
        (["train", "{folder}"], "{folder}: it is a directory: name a file"),
        (["evaluate", "{file}"], "{file}/experiment.toml"),
        (["scorecard", "{file}"], "{file}/best.keras"),
        (["export", "{file}", "--out", "{folder}/x/1"], "{file}/experiment.toml"),
        (["phantoms", "--patients", "1", "--out", "{file}"], "{file}"),
        (["phantoms", "--patients", "1", "--out", "{file}/x"], "a part of this path is a file"),
    ],
)
def test_path_that_cannot_be_used_is_named(
    arguments: list[str],
    complaint: str,
    toml: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "file"
    file.touch()
    names = {"toml": toml, "file": file, "folder": tmp_path}

    code = main([argument.format(**names) for argument in arguments])

    assert code == 2
    assert complaint.format(**names) in one_sentence(capsys.readouterr().err)
