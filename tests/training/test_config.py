import re
from pathlib import Path

import pytest

from service.records import FitParameters
from tests.support.paths import ROOT
from training.config_files import load_experiment, load_foreign_model, load_image_source
from training.errors import ConfigError

DEMO = ROOT / "training/experiments/demo.toml"


def edited(tmp_path: Path, old: str, new: str) -> Path:
    text = DEMO.read_text()
    assert old in text

    path = tmp_path / "edited.toml"
    path.write_text(text.replace(old, new))
    return path


def split_of_demo() -> str:
    """Return the section [split] of the demo experiment."""
    text = DEMO.read_text()
    return text[text.index("[split]") : text.index("[fit]")]


def test_demo_is_a_valid_experiment() -> None:
    experiment = load_experiment(DEMO)

    assert experiment.fit.parameters() == FitParameters(
        256, 192, margin=0.02, white_percentile=99.5
    )
    assert (
        experiment.data.images.format(patient_id="p", image_id="i")
        == "data/phantoms/train_images/p/i.dcm"
    )


def test_commented_sections_of_demo_hold_defaults(tmp_path: Path) -> None:
    text = DEMO.read_text()
    sections = re.findall(r"^(?:# .*\n)+", text, re.MULTILINE)
    optional = [section for section in sections if re.match(r"# \[\w", section)]
    path = tmp_path / "written_out.toml"

    path.write_text(text + re.sub(r"^# ", "", "".join(optional), flags=re.MULTILINE))

    assert len(optional) == 3
    assert load_experiment(path) == load_experiment(DEMO)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("kernel_size = 5", "kernel_sise = 5", "network.kernel_sise"),
        ("kernel_size = 5", "kernel_sise = 5", "network.kernel_size"),
        ("epochs = 10", 'epochs = "20"', "training.epochs"),
        ("epochs = 10", "epochs = 0", "training.epochs"),
        ("filters = [16, 32, 48]", "filters = [16, 32]", "network.filters"),
        ('pooling = "max"', 'pooling = "median"', "network.pooling"),
        ('by = "patient"', 'by = "image"', "split"),
        ("test = 0.30", "test = 0.9", "split"),
        ("{image_id}.dcm", "{image_id.dcm", "data.images"),
        ("{image_id}.dcm", "{}.dcm", "data.images"),
        ("{image_id}.dcm", "{image_id.name}.dcm", "data.images"),
        ("{image_id}.dcm", "{image_id:d}.dcm", "data.images"),
        ("[fit]", "[fitt]", "fitt"),
        ("[fit]", "[fitt]", r"fit: the section \[fit\] is missing"),
    ],
)
def test_invalid_key_is_named(tmp_path: Path, old: str, new: str, named: str) -> None:
    with pytest.raises(ConfigError, match=rf"\n  {named}"):
        load_experiment(edited(tmp_path, old, new))


def test_images_need_no_network_and_training(tmp_path: Path) -> None:
    text = DEMO.read_text()
    path = tmp_path / "images.toml"
    path.write_text(text[: text.index("[network]")])

    source = load_image_source(path)

    assert source == load_image_source(DEMO)
    assert source.fit == load_experiment(DEMO).fit
    with pytest.raises(ConfigError, match=r"\n  training: the section \[training\] is missing"):
        load_experiment(path)


def test_images_need_every_section_of_theirs(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\n  split: the section \[split\] is missing"):
        load_image_source(edited(tmp_path, split_of_demo(), ""))


def test_unknown_section_beside_images_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\n  networks: Extra inputs"):
        load_image_source(edited(tmp_path, "[network]", "[networks]"))


def test_split_by_fold_is_read(tmp_path: Path) -> None:
    path = edited(
        tmp_path, split_of_demo(), '[split]\nby = "fold"\nvalidation = ["3"]\ntest = ["4"]\n'
    )

    experiment = load_experiment(path)

    assert experiment.split.model_dump() == {
        "by": "fold",
        "validation": ("3",),
        "test": ("4",),
    }


def test_folds_may_be_numbers(tmp_path: Path) -> None:
    path = edited(
        tmp_path, split_of_demo(), '[split]\nby = "fold"\nvalidation = [2]\ntest = [3.0]\n'
    )

    split = load_experiment(path).split

    assert split.model_dump() == {"by": "fold", "validation": ("2",), "test": ("3",)}


def test_seed_beside_folds_is_told_to_go(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\n  split\.fold: .*delete `seed`.*lists of folds"):
        load_experiment(edited(tmp_path, 'by = "patient"', 'by = "fold"'))


FURTHER = """
[[data.further]]
name = "cbis"
table = "cbis.csv"
images = "cbis/{path}"
train_only = true
"""


def test_further_tables_are_read(tmp_path: Path) -> None:
    path = edited(tmp_path, "[filter]", FURTHER + "[filter]")

    (further,) = load_experiment(path).data.further

    assert (further.name, further.table, further.train_only) == ("cbis", Path("cbis.csv"), True)
    assert further.lesion_masks is None


def test_two_further_tables_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\n  data: .*the name cbis"):
        load_experiment(edited(tmp_path, "[filter]", FURTHER + FURTHER + "[filter]"))


@pytest.mark.parametrize("name", ["CBIS", "a b", "", "a/b"])
def test_name_of_further_table_is_a_slug(tmp_path: Path, name: str) -> None:
    section = FURTHER.replace('"cbis"', f'"{name}"')

    with pytest.raises(ConfigError, match=r"data\.further\.0\.name"):
        load_experiment(edited(tmp_path, "[filter]", section + "[filter]"))


def test_missing_or_invalid_toml_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.toml"):
        load_experiment(tmp_path / "absent.toml")

    (tmp_path / "broken.toml").write_text("[data\n")
    with pytest.raises(ConfigError, match=r"broken\.toml is not TOML.*line 1"):
        load_experiment(tmp_path / "broken.toml")


def test_foreign_model_needs_no_experiment(tmp_path: Path) -> None:
    path = tmp_path / "foreign.toml"
    path.write_text(
        """
        [fit]
        height = 64
        width = 48
        margin = 0.02
        white_percentile = 99.5
        [decision]
        classes = ["benign", "malignant"]
        positive_class = "malignant"
        threshold = 0.3
        threshold_rule = "Chosen elsewhere."
        temperature = 1.0
        [bundle]
        training_data = "Unknown."
        intended_use = "Tests."
        limitations = "All."
        """
    )

    description = load_foreign_model(path)

    assert description.decision.classes == ("benign", "malignant")
    assert description.decision.offset == 0


def test_targets_of_levels_are_read(tmp_path: Path) -> None:
    section = "[targets]\nbreast = { recall = 0.1 }\nexam = { sensitivity = 0.85 }\n"

    targets = load_experiment(edited(tmp_path, "[filter]", section + "[filter]")).targets

    assert (targets.image.kind, targets.image.value) == ("specificity", 0.9)
    assert (targets.breast.kind, targets.breast.value) == ("recall", 0.1)
    assert (targets.exam.kind, targets.exam.value) == ("sensitivity", 0.85)


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        ("{ recall = 0.1, specificity = 0.9 }", "needs exactly one of specificity"),
        ("{}", "needs exactly one of specificity"),
        ("{ recall = 1.0 }", "less than 1"),
        ("{ accuracy = 0.9 }", "Extra inputs"),
    ],
)
def test_target_that_cannot_be_kept_is_refused(tmp_path: Path, target: str, complaint: str) -> None:
    section = f"[targets]\nbreast = {target}\n"

    with pytest.raises(ConfigError, match=rf"\n  targets\.breast.*{complaint}"):
        load_experiment(edited(tmp_path, "[filter]", section + "[filter]"))
