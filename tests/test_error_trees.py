"""The error trees drawn in the docstrings of `service.errors` and `training.errors`."""

import importlib
import inspect
import pkgutil
import textwrap
from collections.abc import Iterator

import pytest

import service
import training
from service import errors as service_errors
from service.errors import MammolensError
from training import errors as training_errors
from training.errors import TrainingError


@pytest.fixture(scope="module", autouse=True)
def _import_all_modules() -> None:
    """Import every module, so that `__subclasses__` lists every class.

    Ray has an environment of its own, and its adapter defines no error.
    """
    for package in (service, training):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith(("__main__", "ray_engine")):
                importlib.import_module(module.name)


def draw(base: type[Exception], packages: tuple[str, ...]) -> str:
    """Draw `base` and its subclasses that are defined in one of the packages."""
    return "\n".join([base.__name__, *_branches(base, packages)])


def _branches(base: type[Exception], packages: tuple[str, ...]) -> Iterator[str]:
    subclasses = sorted(
        (cls for cls in base.__subclasses__() if f"{cls.__module__}.".startswith(packages)),
        key=lambda cls: cls.__name__,
    )

    for cls in subclasses:
        is_last = cls is subclasses[-1]
        yield ("└── " if is_last else "├── ") + cls.__name__
        for line in _branches(cls, packages):
            yield ("    " if is_last else "│   ") + line


def drawing_in(docstring: str | None) -> str:
    """Return the indented block of a module's docstring."""
    text = inspect.cleandoc(docstring or "")
    (block,) = (part for part in text.split("\n\n") if part.startswith("    "))
    return textwrap.dedent(block)


def test_drawing_of_service_errors_is_complete() -> None:
    """Errors of `service.api` are left out: only HTTP knows them."""
    packages = tuple(
        f"service.{module.name}."
        for module in pkgutil.iter_modules(service.__path__)
        if module.name != "api"
    )

    assert drawing_in(service_errors.__doc__) == draw(MammolensError, packages)


def test_drawing_of_training_errors_is_complete() -> None:
    assert drawing_in(training_errors.__doc__) == draw(TrainingError, ("training.",))
