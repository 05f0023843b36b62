"""A bundle as an earlier release exported it."""

import json
import shutil
from pathlib import Path

import pytest

from service.model import MANIFEST_FILE, Bundle


@pytest.fixture(scope="module")
def older_bundle(bundle_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Return the bundle with the manifest of an older export, without the later facts."""
    path = shutil.copytree(bundle_path, tmp_path_factory.mktemp("older") / "1")
    manifest = json.loads((path / MANIFEST_FILE).read_text())
    manifest["schema_version"] = 2
    for name in ("offset", "deployment_prevalence", "levels", "provenance"):
        del manifest[name]
    for layer in manifest["layers"]:
        for name in ("tap", "methods", "effective_size"):
            del layer[name]
    (path / MANIFEST_FILE).write_text(json.dumps(manifest))

    return Bundle.load(path)
