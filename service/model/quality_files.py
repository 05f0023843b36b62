"""What a bundle knows of its own trustworthiness, as files: its scorecard and what its reference images look like."""

from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from pydantic import ValidationError

from service.errors import BundleDamaged
from service.model.manifest import DOMAIN_FILE, SCORECARD_FILE, Manifest
from service.model.scorecard import Scorecard
from service.records import Domain


def load_scorecard(bundle: Path) -> Scorecard | None:
    """The scorecard of the bundle in that directory; None if it has none, BundleDamaged if it is not one."""
    path = bundle / SCORECARD_FILE
    if not path.exists():
        return None
    try:
        return Scorecard.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise BundleDamaged(
            f"The scorecard of bundle {bundle} is not valid; export the bundle again."
        ) from error


def save_scorecard(bundle: Path, scorecard: Scorecard) -> None:
    """Writes the scorecard into the bundle."""
    (bundle / SCORECARD_FILE).write_text(
        scorecard.model_dump_json(indent=2) + "\n", encoding="utf-8"
    )


def load_domain(bundle: Path, manifest: Manifest) -> Domain | None:
    """The domain of the bundle in that directory; None if it has none, BundleDamaged if it does not fit the model."""
    path = bundle / DOMAIN_FILE
    if not path.exists():
        return None
    try:
        domain = read_domain(path)
    except (OSError, EOFError, KeyError, ValueError, TypeError, BadZipFile) as error:
        raise BundleDamaged(
            f"The domain of bundle {bundle} cannot be read; export the bundle again."
        ) from error
    if (domain.mean.shape, domain.whitening.shape) != (
        (manifest.features,),
        (manifest.features, manifest.features),
    ):
        raise BundleDamaged(
            f"The domain of bundle {bundle} is not of this model's features; export the bundle again."
        )
    return domain


def save_domain(bundle: Path, domain: Domain) -> None:
    """Writes the domain into the bundle."""
    write_domain(bundle / DOMAIN_FILE, domain)


def read_domain(path: Path) -> Domain:
    """The domain in a file, which is one: what NumPy raises otherwise is passed on."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        return Domain(stored["mean"], stored["whitening"], float(stored["limit"]))


def write_domain(path: Path, domain: Domain) -> None:
    """Writes the domain into a file `.npz`."""
    np.savez_compressed(
        path, mean=domain.mean, whitening=domain.whitening, limit=np.array(domain.limit)
    )
