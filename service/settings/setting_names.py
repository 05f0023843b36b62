"""Settings as environment variables: their names, and what is said of wrong ones.

A message names the environment variable, never its value, which may be a secret.
"""

import os
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Self

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

PREFIX = "MAMMOLENS_"
Fields = Mapping[str, FieldInfo]

# Kubernetes, and Docker's links, describe a service named mammolens in variables with this prefix.
_SERVICE_LINK = re.compile(
    r"(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
_LINK_ADDRESS = re.compile(r"(tcp|udp|sctp)://")
_MIN_SIMILARITY = 0.6  # of two names, from 0 to 1: one wrong letter in six leaves 0.83


class SettingsRefused(ValueError):
    """The environment holds a setting that does not exist, or a value that cannot be used."""


class EnvironmentSettings(BaseSettings):
    """Settings that are read from the environment alone, each variable under its one name.

    An empty variable counts as unset.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, populate_by_name=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments, and then the environment."""
        return init_settings, PlainEnvironment(settings_cls)

    @classmethod
    def read(cls) -> Self:
        """Read the settings from the environment.

        Raises:
            SettingsRefused: a variable is unknown or cannot be used. The one line names all.
        """
        faults = unknown_variables(os.environ, cls.model_fields)
        try:
            settings = cls()
        except ValidationError as error:
            faults += faults_of(error, cls.model_fields)
        if faults:
            raise SettingsRefused(f"invalid settings: {'; '.join(faults)}")
        return settings


class PlainEnvironment(EnvSettingsSource):
    """The environment without HOST and PORT under the prefix, which belong to service links."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        super().__init__(settings_cls)
        aliased = {
            f"{PREFIX}{name}".lower()
            for name, field in settings_cls.model_fields.items()
            if field.validation_alias is not None
        }
        self.env_vars = {
            name: value for name, value in self.env_vars.items() if name not in aliased
        }


def variable_of(name: str, fields: Fields) -> str:
    """Return the environment variable of the field with that name."""
    return str(fields[name].validation_alias or f"{PREFIX}{name.upper()}")


def unknown_variables(environment: Mapping[str, str], fields: Fields) -> list[str]:
    """Return a phrase for each variable that has the prefix and is no setting."""
    known = {variable_of(name, fields): name.upper() for name in fields}

    phrases: list[str] = []
    for variable, value in sorted(environment.items()):
        upper = variable.upper()
        is_ours = upper.startswith(PREFIX) and upper not in known
        if is_ours and not _is_service_link(upper.removeprefix(PREFIX), value):
            phrases.append(f"{variable} is no setting{_advice(upper.removeprefix(PREFIX), known)}")
    return phrases


def _is_service_link(name: str, value: str) -> bool:
    if _SERVICE_LINK.fullmatch(name):
        return True
    return re.fullmatch(r"(\w+_)?PORT", name) is not None and bool(_LINK_ADDRESS.match(value))


def _advice(name: str, known: Mapping[str, str]) -> str:
    """Return the nearest setting as advice, or where they are listed."""
    variables = {known_name: variable for variable, known_name in known.items()}
    longer = [other for other in variables if other.startswith(name)]
    nearest = longer or get_close_matches(name, variables, 1, _MIN_SIMILARITY)
    if nearest:
        return f": did you mean {variables[nearest[0]]}?"
    return ": `python -m service --help` lists all settings"


def faults_of(error: ValidationError, fields: Fields) -> list[str]:
    """Return a phrase for each setting with an unusable value."""
    return [
        ": ".join([*_variables(fault["loc"], fields), _text(fault)]) for fault in error.errors()
    ]


def _variables(place: tuple[int | str, ...], fields: Fields) -> Iterator[str]:
    """Return the variable at the place of a fault, or nothing if it concerns several."""
    if place:
        name = str(place[0])
        yield variable_of(name, fields) if name in fields else name


def _text(fault: Mapping[str, object]) -> str:
    return str(fault["msg"]).removeprefix("Value error, ")
