"""What contributors meet on GitHub: workflows, issue forms and hooks agree with the tree."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet
from ruamel.yaml import YAML

from service.api.problems.problem_types import STATUSES
from service.errors import ImageError

ROOT = Path(__file__).parents[1]
GITHUB = ROOT / ".github"
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted((GITHUB / "ISSUE_TEMPLATE").glob("*-*.yml"))
EVERY_YAML = sorted([*GITHUB.rglob("*.yml"), ROOT / ".pre-commit-config.yaml"])

# GitHub's form schema: the keys of a form, and the attributes required by each type of element
FORM_KEYS = {"name", "description", "title", "labels", "assignees", "projects", "type", "body"}
ATTRIBUTES = {
    "markdown": {"value"},
    "textarea": {"label"},
    "input": {"label"},
    "dropdown": {"label", "options"},
    "checkboxes": {"label", "options"},
}


def load(path: Path) -> Any:
    """Return the content of a YAML file, by the rules of YAML 1.2: `on` is a string."""
    return YAML(typ="safe").load(path.read_text("utf-8"))


def name_of(path: Path) -> str:
    return path.name


def commands(workflow: Path) -> str:
    """Return the commands of all jobs, with `X` in place of each expression."""
    steps = [step for job in load(workflow)["jobs"].values() for step in job["steps"]]
    return re.sub(r"\$\{\{.*?\}\}", "X", "\n".join(step["run"] for step in steps if "run" in step))


def elements(form: Path) -> list[dict[str, Any]]:
    """Return the elements of an issue form that take input."""
    return [element for element in load(form)["body"] if element["type"] != "markdown"]


def allowed_pythons() -> list[str]:
    allowed = SpecifierSet(PROJECT["project"]["requires-python"])
    return [version for version in (f"3.{minor}" for minor in range(100)) if version in allowed]


@pytest.mark.parametrize("path", EVERY_YAML, ids=name_of)
def test_yaml_files_are_loaded(path: Path) -> None:
    assert isinstance(load(path), dict)


def test_workflow_tests_every_python_allowed() -> None:
    job = load(GITHUB / "workflows" / "test.yml")["jobs"]["test"]

    assert job["strategy"]["matrix"]["python"] == allowed_pythons()


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=name_of)
def test_workflow_runs_targets_of_makefile(workflow: Path) -> None:
    targets = set(re.findall(r"^\.PHONY: (\w+)$", MAKEFILE, re.MULTILINE))

    called = re.findall(r"\bmake (?:\w+=\S+ )*(\w+)", commands(workflow))

    assert called
    assert set(called) <= targets


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=name_of)
def test_workflow_runs_scripts_of_tree(workflow: Path) -> None:
    scripts = re.findall(r"(?<!\S)(?:requirements|\.ci)/[a-z]+(?!\S)", commands(workflow))

    assert all((ROOT / script).is_file() for script in scripts)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=name_of)
def test_workflow_reads_only_and_ends(workflow: Path) -> None:
    """Only the job that makes a release may write, and it checks out nothing that could run."""
    content = load(workflow)

    assert content["permissions"] == {"contents": "read"}
    for name, job in content["jobs"].items():
        assert job["timeout-minutes"] <= 60
        if "permissions" in job:
            assert (workflow.name, name) == ("release.yml", "release")
            assert "actions/checkout@" not in str(job["steps"])


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=name_of)
def test_actions_are_pinned_by_commit(workflow: Path) -> None:
    uses = re.findall(r"uses: (.+)", workflow.read_text("utf-8"))

    assert uses
    for action in uses:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


@pytest.mark.parametrize("form", FORMS, ids=name_of)
def test_form_has_keys_of_githubs_schema(form: Path) -> None:
    content = load(form)

    assert content.keys() <= FORM_KEYS
    for key in ("name", "description"):
        assert isinstance(content[key], str)
        assert content[key].strip()
    for element in content["body"]:
        assert element.keys() <= {"type", "id", "attributes", "validations"}
        assert ATTRIBUTES[element["type"]] <= element["attributes"].keys()
        assert element.get("validations", {"required": True}).keys() == {"required"}


@pytest.mark.parametrize("form", FORMS, ids=name_of)
def test_form_elements_have_unique_ids_and_labels(form: Path) -> None:
    fields = elements(form)
    ids = [field["id"] for field in fields]
    labels = [field["attributes"]["label"] for field in fields]

    assert len(fields) >= 5
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", identifier) for identifier in ids)
    assert len(set(ids)) == len(ids)
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("form", FORMS, ids=name_of)
def test_form_options_are_unique_strings(form: Path) -> None:
    for element in elements(form):
        options = element["attributes"].get("options", [])
        if element["type"] == "checkboxes":
            options = [option["label"] for option in options]

        assert all(isinstance(option, str) for option in options)
        assert len(set(options)) == len(options)


@pytest.mark.parametrize("form", FORMS, ids=name_of)
def test_form_asks_for_inspection_without_patient_data(form: Path) -> None:
    fields = {field["id"]: field for field in elements(form)}
    introduction = load(form)["body"][0]

    assert "Post no patient data" in introduction["attributes"]["value"]
    assert {"version", "inspection", "image", "privacy"} <= fields.keys()

    inspection = fields["inspection"]["attributes"]["description"]
    assert "SOP Instance UID" in inspection
    assert "python -m service.imaging --json image.dcm | jq 'del(.sop_instance_uid)'" in inspection

    (promise,) = fields["privacy"]["attributes"]["options"]
    assert promise["required"] is True


def test_refusal_form_offers_problems_of_files() -> None:
    form = GITHUB / "ISSUE_TEMPLATE" / "refused-image.yml"
    (problem,) = [field for field in elements(form) if field["id"] == "problem"]
    *offered, other = problem["attributes"]["options"]

    slugs = {error.slug for error in STATUSES if issubclass(error, ImageError)}

    assert set(offered) == slugs - {"empty-image"}
    assert "another" in other


def test_hooks_run_the_checks_of_make_check() -> None:
    recipe = re.search(r"^check: .*\n((?:\t.+\n)+)", MAKEFILE, re.MULTILINE)
    assert recipe is not None
    checks = recipe[1].replace("$(run)", ".venv/bin/python -m").split("\n\t")
    (local,) = load(ROOT / ".pre-commit-config.yaml")["repos"]

    entries = [hook["entry"].removesuffix(" --force-exclude") for hook in local["hooks"]]

    assert local["repo"] == "local"
    assert entries == [check.strip() for check in checks]
    assert all(hook["language"] == "system" for hook in local["hooks"])


def test_dependabot_leaves_python_to_make_requirements() -> None:
    updates = load(GITHUB / "dependabot.yml")["updates"]

    assert [update["package-ecosystem"] for update in updates] == ["github-actions"]
