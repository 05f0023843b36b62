"""Read experiments and descriptions of foreign models from TOML files."""

import json
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from training.config import Experiment, ForeignModel, ImageSource, SectionT
from training.errors import ConfigError


def load_experiment(path: Path) -> Experiment:
    """Read an experiment from a TOML file.

    Raises:
        ConfigError: if the file cannot be used. The message names each wrong key.
    """
    return _load(path, Experiment)


def load_image_source(path: Path) -> ImageSource:
    """Read the images of an experiment from a TOML file.

    The sections of the network and its training may be missing. They are not read.

    Raises:
        ConfigError: if the file cannot be used. The message names each wrong key.
    """
    return _load(path, ImageSource, ignored=set(Experiment.model_fields))


def load_foreign_model(path: Path) -> ForeignModel:
    """Read the description of a foreign model from a TOML file.

    Raises:
        ConfigError: if the file cannot be used. The message names each wrong key.
    """
    return _load(path, ForeignModel)


def _load(path: Path, kind: type[SectionT], ignored: Collection[str] = ()) -> SectionT:
    """Read a section from a TOML file. Keys that are `ignored` and not of this kind are dropped."""
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"There is no file {path}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}.") from error

    dropped = set(ignored) - set(kind.model_fields)
    kept = {key: value for key, value in document.items() if key not in dropped}

    try:
        # Via JSON, because in Python mode pydantic's strict types accept neither a list for a tuple
        # nor a string for a path.
        return kind.model_validate_json(json.dumps(kept, default=str))
    except ValidationError as error:
        problems = map(_complaint, error.errors())
        raise ConfigError("\n".join([f"{path} has invalid keys:", *problems])) from error


def _keys(place: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Return the keys of a place, without the kind of network that pydantic puts between them."""
    return (place[0], *place[2:]) if place[:1] == ("network",) and place[2:] else place


def _complaint(problem: ErrorDetails) -> str:
    """Return a line that names a key or a section, and its fault."""
    name = ".".join(map(str, _keys(problem["loc"])))
    if problem["type"] == "missing" and len(problem["loc"]) == 1:
        return f"  {name}: the section [{name}] is missing"
    return f"  {name}: {problem['msg']}"
