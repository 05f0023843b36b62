import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from training.commands import main
from training.errors import RunError
from training.export.publish import name_and_version

COMMANDS = (
    "phantoms",
    "table",
    "weights",
    "prepare",
    "train",
    "evaluate",
    "cross-validate",
    "scorecard",
    "export",
)


def test_help_shows_an_example_of_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])

    text = capsys.readouterr().out
    assert all(f"python -m training {command}" in text for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_command_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])

    assert f"  python -m training {command} " in capsys.readouterr().out


def test_help_does_not_import_tensorflow() -> None:
    program = (
        "import sys\nfrom training.commands import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    print('tensorflow' in sys.modules)"
    )

    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert finished.stdout.endswith("False\n")


def test_missing_training_packages_are_reported_with_remedy(tmp_path: Path) -> None:
    program = (
        "import sys\nsys.modules['tqdm'] = None\nfrom training.commands import main\n"
        f"sys.exit(main(['phantoms', '--patients', '1', '--out', {str(tmp_path / 'phantoms')!r}]))"
    )

    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert finished.returncode == 2
    assert finished.stderr == "error: tqdm is not installed here: run `make training` first.\n"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["prepare", "absent.toml"], "absent.toml"),
        (["train", "absent.toml"], "absent.toml"),
        (["evaluate", "absent-run"], "training train"),
        (["scorecard", "absent-run"], "training train"),
        (["export", "absent-run", "--out", "models/x/1"], "training train"),
        (
            ["export", "--keras", "absent.keras", "--bundle", "absent.toml", "--out", "models/x/1"],
            "absent.toml",
        ),
    ],
)
def test_user_error_is_one_message_and_code_2(
    arguments: list[str],
    named: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)

    code = main(arguments)

    assert code == 2
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    assert named in message
    assert "Traceback" not in message


@pytest.mark.parametrize(
    "arguments",
    [
        ["phantoms", "--out", "x", "--patients", "0"],
        ["phantoms", "--out", "x", "--patients", "5", "--cancer-rate", "1.5"],
        ["table", "rsna", "x", "--out", "t.csv", "--images", "{"],
        ["scorecard"],
        ["scorecard", "runs/x", "--keras", "m.keras"],
        ["scorecard", "--keras", "m.keras", "--bundle", "b.toml"],
        ["export", "runs/x", "--scorecard", "s.json", "--out", "models/x/1"],
        ["export", "--out", "models/x/1"],
        ["export", "runs/x", "--keras", "m.keras", "--bundle", "b.toml", "--out", "models/x/1"],
        ["export", "--keras", "m.keras", "--out", "models/x/1"],
    ],
)
def test_invalid_combination_of_arguments_is_rejected(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)


def test_phantoms_need_an_empty_directory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").touch()

    code = main(["phantoms", "--out", str(tmp_path), "--patients", "1"])

    assert code == 2
    assert "not empty" in capsys.readouterr().err


def test_prepare_counts_new_and_cached_images(
    write_experiment: Callable[..., Path],
    tmp_path: Path,
    toy_root: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cache = (f'cache = "{toy_root}/cache"', f'cache = "{tmp_path}/cache"')
    patient = ("[split]", '[filter]\npatient_ids = ["p4"]\n[split]')
    toml = write_experiment(tmp_path / "toy.toml", cache, patient)

    for expected in (
        "2 images prepared, 0 already in the cache",
        "0 images prepared, 2 already in the cache",
    ):
        assert main(["prepare", str(toml), "--workers", "1"]) == 0
        assert expected in capsys.readouterr().out


def test_directory_gives_name_and_version_of_bundle() -> None:
    assert name_and_version(Path("models/demo/12")) == ("demo", 12)


@pytest.mark.parametrize("out", ["models/demo", "models/demo/0", "models/demo/v1"])
def test_version_of_bundle_must_be_a_number(out: str) -> None:
    with pytest.raises(RunError, match="models/demo/1"):
        name_and_version(Path(out))
