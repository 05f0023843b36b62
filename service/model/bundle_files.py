"""The files of a bundle: its manifest, and what it says of all others."""

import hashlib
from pathlib import Path

from pydantic import ValidationError

from service.errors import BundleDamaged, BundleMissing, BundleUnreadable
from service.model.manifest import MANIFEST_FILE, Manifest, checksums


def read_manifest(path: Path) -> tuple[Manifest, str]:
    """Return the manifest of a bundle and the bundle's digest, without TensorFlow.

    Raises:
        BundleMissing, BundleDamaged: the manifest itself cannot be used.
    """
    content = _read_manifest(path)
    return _parse_manifest(content, path), hashlib.sha256(content).hexdigest()


def _read_manifest(path: Path) -> bytes:
    try:
        return (path / MANIFEST_FILE).read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise BundleMissing(
            f"There is no model bundle at {path}. Name a version directory such as models/demo/1, "
            "or make one with `python -m training export`."
        ) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _parse_manifest(content: bytes, path: Path) -> Manifest:
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        if first["loc"] == ("schema_version",):
            raise _unsupported(path) from error
        place = ".".join(map(str, first["loc"])) or "as a whole"
        message = f"The manifest of bundle {path} is not valid: {place}: {first['msg']}."
        raise BundleDamaged(message) from error


def _unsupported(path: Path) -> BundleDamaged:
    """Return the error for a schema version that is not served.

    Bundles of version 1 were made before the first release. They lack the features of an image,
    and logits beside its gradients.
    """
    return BundleDamaged(
        f"Bundle {path} has a manifest of a schema version that this release does not serve. "
        "Export the model again with this release."
    )


def check_files(path: Path, manifest: Manifest) -> None:
    """Compare the files with the manifest. BundleDamaged names all that differ."""
    expected = manifest.files
    try:
        actual = checksums(path)
    except OSError as error:
        raise _unreadable(path, error) from error

    common = actual.keys() & expected.keys()
    faults = {
        "missing": expected.keys() - actual.keys(),
        "not in the manifest": actual.keys() - expected.keys(),
        "altered": {file for file in common if actual[file] != expected[file]},
    }

    named = "; ".join(
        f"{fault}: {', '.join(sorted(files))}" for fault, files in faults.items() if files
    )
    if named:
        raise BundleDamaged(
            f"The files of bundle {path} differ from those that were exported ({named}). "
            "Copy or export the bundle again."
        )


def _unreadable(path: Path, error: OSError) -> BundleUnreadable:
    return BundleUnreadable(f"Bundle {path} cannot be read: {error.strerror}.")
