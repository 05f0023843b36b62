"""Read and write the scorecard, the curves and the domain of a bundle."""

from pathlib import Path
from typing import TypeVar
from zipfile import BadZipFile

import numpy as np
from pydantic import BaseModel, ValidationError

from service.errors import BundleDamaged
from service.model.curves import Curves
from service.model.manifest import CURVES_FILE, DOMAIN_FILE, SCORECARD_FILE, Manifest
from service.model.scorecard import Scorecard
from service.records import Domain

Facts = TypeVar("Facts", bound=BaseModel)


def load_scorecard(bundle: Path) -> Scorecard | None:
    """Load the scorecard of the bundle in that directory, or None if it has none.

    Raises:
        BundleDamaged: the file is not a valid scorecard.
    """
    return _load(bundle, SCORECARD_FILE, Scorecard)


def save_scorecard(bundle: Path, scorecard: Scorecard) -> None:
    """Write the scorecard into the bundle."""
    text = scorecard.model_dump_json(indent=2) + "\n"
    (bundle / SCORECARD_FILE).write_text(text, encoding="utf-8")


def load_curves(bundle: Path) -> Curves | None:
    """Load the curves of the bundle in that directory, or None if it has none.

    Raises:
        BundleDamaged: the file does not hold valid curves.
    """
    return _load(bundle, CURVES_FILE, Curves)


def save_curves(bundle: Path, curves: Curves) -> None:
    """Write the curves into the bundle."""
    (bundle / CURVES_FILE).write_text(curves.model_dump_json() + "\n", encoding="utf-8")


def load_domain(bundle: Path, manifest: Manifest) -> Domain | None:
    """Load the domain of the bundle in that directory, or None if it has none.

    Raises:
        BundleDamaged: the file cannot be read, or does not fit the features of the model.
    """
    path = bundle / DOMAIN_FILE
    if not path.exists():
        return None

    try:
        domain = read_domain(path)
    except (OSError, EOFError, KeyError, ValueError, TypeError, BadZipFile) as error:
        raise BundleDamaged(
            f"The domain of bundle {bundle} cannot be read. Export the bundle again."
        ) from error

    count = manifest.features
    if domain.mean.shape != (count,) or domain.whitening.shape != (count, count):
        raise BundleDamaged(
            f"The domain of bundle {bundle} does not fit the model's features. "
            "Export the bundle again."
        )
    return domain


def save_domain(bundle: Path, domain: Domain) -> None:
    """Write the domain into the bundle."""
    write_domain(bundle / DOMAIN_FILE, domain)


def read_domain(path: Path) -> Domain:
    """Read a domain from an `.npz` file. Exceptions of NumPy are passed on."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        return Domain(stored["mean"], stored["whitening"], float(stored["limit"]))


def write_domain(path: Path, domain: Domain) -> None:
    """Write a domain to an `.npz` file."""
    np.savez_compressed(
        path, mean=domain.mean, whitening=domain.whitening, limit=np.array(domain.limit)
    )


def _load(bundle: Path, file: Path, kind: type[Facts]) -> Facts | None:
    """Load facts from a JSON file of the bundle, None if it has none."""
    path = bundle / file
    if not path.exists():
        return None

    try:
        return kind.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "as a whole"
        raise BundleDamaged(
            f"The file {path.name} of bundle {bundle} is not valid: {place}: {first['msg']}. "
            "Export the bundle again."
        ) from error
