"""Steps of a long measurement: their results are kept, so that an interrupted one goes on."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import joblib
from tqdm import tqdm

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps with a bar over all passes of the network.

    `directory`: results of finished steps. None if they are not kept. A directory belongs to one
    measurement: its name should hold a digest of everything that decides the results.
    """

    directory: Path | None
    bar: "tqdm[Any]"

    def run(self, name: str, passes: int, compute: Callable[[], Result]) -> Result:
        """Return the result of a step: the kept one, or a new one, which is then kept.

        `passes`: of the network, counted in images.
        """
        path = self._path(name)
        if path is not None and path.exists():
            result: Result = joblib.load(path)
        else:
            result = compute()
            if path is not None:
                _write(path, result)

        self.bar.update(passes)
        return result

    def expect(self, passes: int) -> None:
        """Set the total of the bar."""
        self.bar.total = passes
        self.bar.refresh()

    def _path(self, name: str) -> Path | None:
        """Return the file of a step's result."""
        if self.directory is None:
            return None

        slug = re.sub(r"[^A-Za-z0-9]+", "-", name)
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        return self.directory / f"{slug}.{digest}.joblib"


def steps_beside(out: Path, *facts: bytes) -> Path:
    """Return the directory of steps for a result in the file `out`.

    Its name holds a digest of the facts that decide the results, and of the code.
    """
    digest = hashlib.sha256(repr(facts).encode())
    root = Path(__file__).parents[2]
    for package in ("service", "training"):
        for source in sorted((root / package).rglob("*.py")):
            digest.update(source.read_bytes())

    return out.with_name(f"{out.stem}-{digest.hexdigest()[:12]}.partial")


def _write(path: Path, result: object) -> None:
    """Write a result atomically: an interrupted write leaves no file of that name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    joblib.dump(result, partial)
    partial.replace(path)
