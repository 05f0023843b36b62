"""The command `mammolens`."""

import subprocess
import sys

import pytest

import mammolens
from service import cli
from training import command_texts

COMMANDS = {**cli.COMMANDS, **command_texts.COMMANDS}


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        mammolens.main(["--help"])

    text = capsys.readouterr().out
    assert all(f"    {name}" in text for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_command_names_the_command(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="0"):
        mammolens.main([command, "--help"])

    assert f"usage: mammolens {command}" in capsys.readouterr().out


def test_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        mammolens.main(["predict"])

    assert "invalid choice: 'predict'" in capsys.readouterr().err


def test_health_imports_neither_application_nor_decoders() -> None:
    program = (
        "import sys, mammolens\n"
        "mammolens.main(['health'])\n"
        "print(sorted({'fastapi', 'numpy', 'pydicom', 'tensorflow'} & sys.modules.keys()))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
