"""Failures of a command that are no fault of the program, as one sentence and an exit code."""

import argparse
import errno
import sys
from collections.abc import Callable
from pathlib import Path

from service.errors import MammolensError
from training.command_texts import GOING_ON
from training.config_files import load_image_source

FAILED = 2
INTERRUPTED = 130  # what a shell reports of a program that Ctrl-C has ended

# A quota, and a limit to the size of a file, are met as a full disk is.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_ACCESS = "you may not open or write it: change its permissions, or name another"
_REMEDIES = {
    errno.ENOENT: "there is no such file or directory: check the path",
    errno.EISDIR: "it is a directory: name a file",
    errno.ENOTDIR: "a part of this path is a file rather than a directory: name another path",
    errno.EEXIST: "it exists already: name another path",
    errno.EACCES: _ACCESS,
    errno.EPERM: _ACCESS,
    errno.EROFS: "its file system is read-only: name a path on another",
}


def exit_code(command: Callable[[argparse.Namespace], None], options: argparse.Namespace) -> int:
    """Run a command and return 0, or the exit code of the failure that standard error tells.

    A failure is told in one sentence. An error of the program keeps its traceback.
    """
    try:
        command(options)
    except MammolensError as error:
        return _fail(str(error))
    except ModuleNotFoundError as error:
        return _fail(f"{error.name} is not installed here: {_remedy_of_absent(str(error.name))}.")
    except OSError as error:
        sentence = storage_failure(error, options)
        if sentence is None:
            raise
        return _fail(sentence)
    except KeyboardInterrupt:
        print(f"\ninterrupted: {GOING_ON[options.step]}", file=sys.stderr)
        return INTERRUPTED

    return 0


def storage_failure(error: OSError, options: argparse.Namespace) -> str | None:
    """Return a sentence for an error of the file system, or None for any other error."""
    if error.errno in _FULL:
        folder = Path(error.filename).parent if error.filename else _folder(options)
        return (
            f"The disk of {folder} is full, or a quota on it is used up: free some space. Then "
            f"{GOING_ON[options.step]}"
        )

    if error.filename is None:
        return None
    remedy = _REMEDIES.get(error.errno or 0, f"{error.strerror}: check the path and the disk")
    return f"{error.filename}: {remedy}."


def _folder(options: argparse.Namespace) -> Path:
    """Return the directory that the command writes to."""
    if options.step == "prepare":
        return load_image_source(options.experiment).data.cache
    if options.step in ("train", "cross-validate"):
        return run_directory(options)
    if options.step == "scorecard" and options.out is not None:
        return Path(options.out).parent

    folder: Path = options.run if options.step in ("evaluate", "scorecard") else options.out
    return folder


def run_directory(options: argparse.Namespace) -> Path:
    """Return the run directory of `train`: the one asked for, or one named after the experiment."""
    return options.run or Path("runs", options.experiment.stem)


def _remedy_of_absent(module: str) -> str:
    """Return how to get a module that is missing."""
    if module == "jax":
        return "run `make training-gpu` first, or run the command with KERAS_BACKEND=tensorflow"
    return "run `make training` first"


def _fail(sentence: str) -> int:
    print(f"error: {sentence}", file=sys.stderr)
    return FAILED
