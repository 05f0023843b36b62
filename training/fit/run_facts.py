"""Provenance of a run: the data, the code and the machine that its network comes from."""

import hashlib
import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import fields
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import keras

import service
from training.config import Experiment
from training.data.cache import Part
from training.data.prepared import PreparedSplit
from training.data.split import Split
from training.data.split_file import format_split
from training.errors import RunError
from training.fit.part_counts import count_part
from training.network_config import Backbone
from training.table_config import Data

_DATA = ("tables", "split", "images")
"""Facts of the data that must not change."""

_LIBRARIES = (
    "imagecodecs",
    "jax",
    "keras",
    "numpy",
    "opencv-python-headless",
    "pillow",
    "pydicom",
    "scikit-learn",
    "scipy",
    "tensorflow",
    "tensorflow-cpu",
)


def table_facts(experiment: Experiment, split: Split) -> dict[str, Any]:
    """Return the digests of the tables and the split, SHA-256 in hexadecimal."""
    return {
        "tables": {name: _file_digest(path) for name, path in _tables(experiment.data).items()},
        "split": hashlib.sha256(format_split(split).encode()).hexdigest(),
    }


def image_facts(parts: PreparedSplit) -> dict[str, Any]:
    """Return the digest of each part's images, and its counts.

    The digest covers the content of the image files.
    """
    named = {part.name: getattr(parts, part.name) for part in fields(PreparedSplit)}
    return {
        "images": {name: part.digest for name, part in named.items()},
        "parts": {name: _counts(name, part) for name, part in named.items()},
    }


def code_facts() -> dict[str, Any]:
    """Return the commit of the code, whether it was changed since, and the versions of libraries.

    The commit is missing if this is not a checkout of the project.
    """
    return {
        "commit": _git("rev-parse", "HEAD"),
        "changed": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "versions": _versions(),
    }


def first_weights(experiment: Experiment) -> str | None:
    """Return the digest of the file of the first weights, None for random ones.

    Raises:
        RunError: there is no such file.
    """
    network = experiment.network
    if not isinstance(network, Backbone) or network.init is None:
        return None
    if not network.init.is_file():
        raise RunError(f"There is no file {network.init}, which `init` in [network] names.")
    return _file_digest(network.init)


def machine_facts() -> dict[str, Any]:
    """Return the device that the network is trained on and the number of processor cores."""
    return {
        "backend": keras.backend.backend(),
        "devices": keras.distribution.list_devices(),
        "cores": len(os.sched_getaffinity(0)),
    }


def require_same_data(run: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Check that what is known `now` of a run's data has not changed since it began.

    Raises:
        RunError: it has. The message names what differs.
    """
    changed = [name for name in _DATA if name in now and before[name] != now[name]]
    if changed:
        have = "has" if changed == ["split"] else "have"
        raise RunError(
            f"The {' and the '.join(changed)} of {run} {have} changed since it began. Figures of "
            "both would be mixed: restore the data, or begin another run with --run."
        )


def _tables(data: Data) -> dict[str, Path]:
    """Return the paths of the tables by the key that names them in the experiment."""
    return {
        "table": data.table,
        **{f"further.{further.name}": further.table for further in data.further},
    }


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _counts(name: str, part: Part) -> dict[str, int]:
    counts = count_part(name, part.records, len(part.dropped))
    return {
        "patients": counts.patients,
        "images": counts.images,
        "with_cancer": counts.cancers,
        "dropped": len(part.dropped),
    }


def _versions() -> dict[str, str]:
    """Return the versions of Python, this project and the libraries that decide its figures."""
    # A library may write its name with other signs than its package index, as tensorflow_cpu does.
    installed = {
        library.name.lower().replace("_", "-"): library.version for library in distributions()
    }
    own = {"mammolens": service.__version__, "python": platform.python_version()}
    return own | {name: installed[name] for name in _LIBRARIES if name in installed}


def _git(*arguments: str) -> str | None:
    """Return the output of git in the project's directory, or None without git or a checkout."""
    project = Path(__file__).parents[2]
    git = shutil.which("git")
    if git is None or not (project / ".git").exists():
        return None

    outcome = subprocess.run(  # noqa: S603 - fixed arguments
        [git, "-C", str(project), *arguments], capture_output=True, text=True, check=False
    )
    return outcome.stdout.strip() if outcome.returncode == 0 else None
