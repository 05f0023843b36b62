import logging

import pytest

from service import logs


@pytest.fixture(autouse=True)
def restored() -> object:
    root = logging.getLogger()
    handlers, level, uvicorn = root.handlers[:], root.level, logging.getLogger("uvicorn").level
    yield None
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("uvicorn").setLevel(uvicorn)


def test_an_exception_is_logged_with_its_types_and_places_but_never_its_message(
    capsys: pytest.CaptureFixture[str],
) -> None:
    secret = "Doe^Jane"
    logs.configure()
    try:
        int(secret)
    except ValueError as error:
        error.__cause__ = KeyError(secret)
        logging.getLogger("uvicorn.error").exception("failed")
    line = capsys.readouterr().err
    assert "builtins.ValueError" in line
    assert "builtins.KeyError" in line
    assert "test_logs.py" in line
    assert secret not in line


def test_of_uvicorn_only_warnings_are_logged(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    logging.getLogger("uvicorn.error").info("Started server process")
    logging.getLogger("mammolens").info("listening")
    assert capsys.readouterr().err.splitlines()[0].endswith("INFO mammolens: listening")
