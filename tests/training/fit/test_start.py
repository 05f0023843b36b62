import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from training.commands import main
from training.config_files import load_experiment
from training.data.prepare import prepare
from training.data.table import load_records
from training.errors import ConfigError, RunError, TableError
from training.fit.run import Run, read_json, write_json
from training.fit.run_facts import require_same_data
from training.fit.start import open_data, start

COLUMNS = "patient_id,image_id,laterality,view,cancer"


@pytest.fixture(scope="module")
def origin(
    toy_root: Path, write_experiment: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A directory with a table, a cache and an experiment whose paths are relative to it."""
    root = tmp_path_factory.mktemp("origin")
    toml = write_experiment(root / "toy.toml", (str(toy_root), "."))
    shutil.copy(toy_root / "train.csv", root / "train.csv")
    (root / "images").symlink_to(toy_root / "images")

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        source = load_experiment(toml)
        prepare(load_records(source), source, workers=2)
    return root


@pytest.fixture
def here(origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: a copy of table, cache and experiment."""
    for name in ("toy.toml", "train.csv"):
        shutil.copy(origin / name, tmp_path / name)
    shutil.copytree(origin / "cache", tmp_path / "cache")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(here: Path) -> Run:
    """A run that has begun."""
    run = Run(Path("run"))
    start(run, here / "toy.toml")
    return run


def change_table(change: Callable[[list[str]], list[str]]) -> None:
    table = Path("train.csv")
    table.write_text("\n".join(change(table.read_text().splitlines())) + "\n")


def keys_of(run: Run) -> dict[str, set[tuple[str, str]]]:
    """Return the images of each part, from the file."""
    parts: dict[str, set[tuple[str, str]]] = {}
    with run.split.open(newline="") as file:
        for row in csv.DictReader(file):
            parts.setdefault(row["part"], set()).add((row["patient_id"], row["image_id"]))
    return parts


def test_run_keeps_split_counts_and_digests(run: Run) -> None:
    facts = read_json(run.provenance)

    assert facts["data"]["parts"]["validation"] == {
        "patients": 10,
        "images": 20,
        "with_cancer": 5,
        "dropped": 0,
    }
    assert {part: len(keys) for part, keys in keys_of(run).items()} == {
        "train": 40,
        "validation": 20,
        "test": 20,
    }
    assert facts["seeds"] == {"training": 3, "split": 0}
    assert {"mammolens", "python", "keras", "tensorflow-cpu"} <= set(facts["code"]["versions"])
    assert "p1" not in run.provenance.read_text()


def test_same_command_goes_on_with_the_same_split(run: Run, here: Path) -> None:
    before = (run.split.read_bytes(), run.provenance.read_bytes())

    again = start(run, here / "toy.toml")

    assert (run.split.read_bytes(), run.provenance.read_bytes()) == before
    assert {record.key for record in again.test.records} == keys_of(run)["test"]


def test_interrupted_start_begins_again(run: Run, here: Path) -> None:
    """The split was written and the provenance was not. The table has grown since."""
    run.provenance.unlink()
    split = run.split.read_text()
    change_table(lambda lines: [line for line in lines if not line.startswith("p7,")])

    start(run, here / "toy.toml")

    assert "p7," in split
    assert "p7," not in run.split.read_text()
    open_data(run, run.experiment())


def test_directory_without_experiment_is_begun_anew(run: Run, here: Path) -> None:
    """The digest of the code was written and the experiment was not."""
    run.experiment_file.unlink()
    run.provenance.unlink()

    start(run, here / "toy.toml")

    assert run.experiment() == load_experiment(here / "toy.toml")


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: [*lines, "new,1,L,CC,1"],
        lambda lines: [lines[0], lines[1].replace(",1", ",0"), *lines[2:]],
        lambda lines: [lines[0], *lines[:0:-1]],
        lambda lines: [f"{lines[0]},age", *(f"{line},50" for line in lines[1:])],
        lambda lines: [lines[0], *(f"{line[:-1]}0" for line in lines[1:])],
    ],
    ids=["row-added", "label-changed", "order-changed", "column-added", "class-gone"],
)
def test_changed_table_is_refused(change: Callable[[list[str]], list[str]], run: Run) -> None:
    """The cache is gone, too: the table is compared before images and classes are looked at."""
    change_table(change)
    shutil.rmtree("cache")

    with pytest.raises(RunError, match=r"^The tables of run have changed"):
        open_data(run, run.experiment())
    with pytest.raises(RunError, match=r"^The tables of run have changed"):
        start(run, Path("toy.toml"))


def test_image_that_left_the_table_is_named(run: Run) -> None:
    change_table(lambda lines: [line for line in lines if not line.startswith("p7,")])

    with pytest.raises(RunError, match=r"split.csv names the image p7/7., which the table no"):
        open_data(run, run.experiment())


@pytest.mark.usefixtures("run")
def test_images_prepared_from_other_content_are_refused(
    toy_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(toy_root / "images", "images")
    shutil.copy("images/p5_5R.png", "images/p4_4R.png")
    assert main(["prepare", "toy.toml", "--replace"]) == 0

    assert main(["evaluate", "run"]) == 2

    assert "error: The images of run have changed since it began" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda lines: [lines[0], *sorted(lines[1:])], "The split of run has changed"),
        (lambda lines: [*lines, lines[1]], "The split of run has changed"),
        (
            lambda lines: [lines[0], lines[1].replace("train", "test"), *lines[2:]],
            "The split of run has changed",
        ),
        (lambda lines: lines[1:], "split.csv is damaged"),
        (lambda lines: [lines[0], lines[1].replace("train", "tuning")], "split.csv is damaged"),
        (lambda _: [""], "split.csv is damaged"),
    ],
    ids=["sorted", "repeated", "moved", "headless", "unknown-part", "empty"],
)
def test_changed_split_file_is_refused(
    change: Callable[[list[str]], list[str]], words: str, run: Run
) -> None:
    """The order of the split is the order of training, so even that must not change."""
    run.split.write_text("\n".join(change(run.split.read_text().splitlines())))

    with pytest.raises(RunError, match=words):
        open_data(run, run.experiment())


def test_missing_split_file_is_told(run: Run) -> None:
    run.split.unlink()

    with pytest.raises(RunError, match=r"split.csv is missing: restore it"):
        open_data(run, run.experiment())


def test_run_goes_on_at_another_place(
    run: Run, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another machine has the same files under another path, and no image files."""
    before = [record.key for record in open_data(run, run.experiment()).train.records]
    there = tmp_path_factory.mktemp("elsewhere")
    for name in ("cache", "run"):
        shutil.copytree(name, there / name)
    for name in ("train.csv", "toy.toml"):
        shutil.copy(name, there / name)
    monkeypatch.chdir(there)

    parts = start(Run(there / "run"), there / "toy.toml")

    assert [record.key for record in parts.train.records] == before


@pytest.mark.parametrize("file", ["history.json", "best.keras"])
def test_run_of_an_earlier_version_is_refused(file: str, run: Run, here: Path) -> None:
    """It has a network and no record of the data."""
    run.provenance.unlink()
    (run.directory / file).touch()

    with pytest.raises(RunError, match=r"run was trained by an earlier version, .* --run"):
        start(run, here / "toy.toml")
    with pytest.raises(RunError, match=r"run was trained by an earlier version, .* --run"):
        open_data(run, run.experiment())


def test_run_that_never_began_names_the_step(here: Path) -> None:
    with pytest.raises(RunError, match=r"provenance.json does not exist: run .*training train"):
        open_data(Run(here / "none"), load_experiment(here / "toy.toml"))


def test_cross_validation_names_one_of_its_rounds(run: Run) -> None:
    write_json(run.provenance, {"rounds": {"0": read_json(run.provenance)}})

    with pytest.raises(RunError, match=r"is a cross-validation, .*, such as run/fold-0\.$"):
        open_data(run, run.experiment())


def test_cross_validation_is_no_single_run(here: Path) -> None:
    toml = here / "toy.toml"
    folds = 'by = "cross-validation"\nfolds = 3'
    toml.write_text(
        toml.read_text().replace('by = "patient"\nvalidation = 0.25\ntest = 0.25', folds)
    )

    with pytest.raises(ConfigError, match="training cross-validate"):
        start(Run(here / "run"), toml)


def test_part_whose_cancers_are_unusable_is_refused(here: Path, toy_root: Path) -> None:
    """All images of validation patients with cancer turn out black."""
    images = here / "images"
    shutil.copytree(toy_root / "images", images)
    start(Run(here / "first"), here / "toy.toml")
    validation = keys_of(Run(here / "first"))["validation"]
    for patient, image in validation:
        if image.endswith("L") and int(image[:-1]) % 2 == 0:
            (images / f"{patient}_{image}.png").write_bytes(b"nothing")
    assert main(["prepare", "toy.toml", "--replace"]) == 0

    with pytest.raises(TableError, match=r"validation part \(15 images\) does not contain both"):
        start(Run(here / "second"), here / "toy.toml")


def further_table(here: Path, name: str) -> Path:
    """Add a further table of cancers, for training alone, and return the experiment."""
    (here / "further.csv").write_text(f"{COLUMNS}\np0,0L,L,cc,1\np2,2L,L,cc,1\n")
    toml = here / "toy.toml"
    table = (
        f'[[data.further]]\nname = "{name}"\ntable = "further.csv"\ntrain_only = true\n'
        'images = "./images/{patient_id}_{image_id}.png"\n'
    )
    toml.write_text(toml.read_text().replace("[split]", f"{table}[split]"))
    return toml


def test_images_for_training_alone_are_in_no_other_part(here: Path, toy_root: Path) -> None:
    """A further table may even be called "table", which is the name of the first one."""
    toml = further_table(here, "table")
    (here / "images").symlink_to(toy_root / "images")
    assert main(["prepare", str(toml)]) == 0
    run = Run(here / "run")

    parts = start(run, toml)

    assert {"table.p0", "table.p2"} <= {record.patient_id for record in parts.train.records}
    assert not any(record.train_only for record in parts.validation.records + parts.test.records)
    assert parts.train.records[-1].view == "CC"

    # Both tables are compared.
    for table in ("train.csv", "further.csv"):
        text = (here / table).read_text()
        (here / table).write_text(text + "\n")
        with pytest.raises(RunError, match="The tables of"):
            open_data(run, run.experiment())
        (here / table).write_text(text)
    open_data(run, run.experiment())


def test_message_names_all_that_differs() -> None:
    before = {"tables": {"table": "a"}, "split": "b", "images": {"train": "c"}}

    with pytest.raises(RunError, match=r"^The tables and the images of runs/x have changed"):
        require_same_data(Path("runs/x"), before, {**before, "tables": {}, "images": {}})

    require_same_data(Path("runs/x"), before, before)


def begin_from_weights(here: Path, content: bytes) -> tuple[Run, Path]:
    """Begin a run whose network starts from a file. It is not loaded before the training."""
    Path("first.keras").write_bytes(content)
    toml = here / "toy.toml"
    network = '[network]\nkind = "efficientnet-lite0"\ninit = "first.keras"\n[augmentation]'
    before, _, rest = toml.read_text().partition("[network]")
    toml.write_text(before + network + rest.partition("[augmentation]")[2])

    run = Run(Path("from-weights"))
    start(run, toml)
    return run, toml


def test_run_keeps_digest_of_first_weights(here: Path) -> None:
    run, _ = begin_from_weights(here, b"abc")

    # The example of FIPS 180-4.
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert read_json(run.provenance)["first_weights"] == digest


def test_changed_first_weights_are_refused(here: Path) -> None:
    run, toml = begin_from_weights(here, b"abc")

    Path("first.keras").write_bytes(b"xyz")
    with pytest.raises(RunError, match="first weights of from-weights have changed"):
        start(run, toml)

    Path("first.keras").unlink()
    with pytest.raises(RunError, match=r"no file first\.keras"):
        start(run, toml)
