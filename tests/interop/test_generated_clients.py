"""Clients generated from the OpenAPI document, compiled, and run against a server with keys.

Each sends a DICOM file ten times and gets JSON, two pictures and an error back. The clients for
Python are in tests/contract/test_clients.py.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import httpx
import pytest

from service.access import AccessScope, add_key
from tests.support.client_generators import DOCUMENT, generate_client
from tests.support.paths import ROOT, SAMPLE
from tests.support.servers import running

pytestmark = pytest.mark.interop

PROGRAMS = Path(__file__).with_name("clients")
NODE_MODULES = ROOT / "build" / "clients" / "node_modules"
JARS = [
    # The generator holds Jackson with its module for dates, which Debian lacks.
    str(files("openapi_generator_cli") / "openapi-generator.jar"),
    "/usr/share/java/httpmime.jar",
    "/usr/share/java/jakarta-annotation-api.jar",
]


@pytest.fixture(scope="module")
def arguments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Address of a server, key of a caller and path of a DICOM file: arguments of each program."""
    keys = tmp_path_factory.mktemp("keys") / "keys.toml"
    key = add_key(keys, "viewer", [AccessScope.PREDICT, AccessScope.EXPLAIN])

    with running(MAMMOLENS_KEYS=str(keys)) as server:
        yield [server.address, key, str(SAMPLE)]


@pytest.fixture(scope="module")
def expected(arguments: list[str]) -> list[str]:
    """Lines that each program prints, from the answer that a plain HTTP client gets."""
    address, key, image = arguments
    answer = httpx.post(
        f"{address}/predict",
        files={"file": Path(image).read_bytes()},
        headers={"authorization": f"Bearer {key}"},
    ).json()

    spacing = sum(answer["image"]["pixel_spacing_mm"])
    facts = f"{answer['prediction']['label']} {spacing:.4f}"
    return [f"{facts} true true urn:mammolens:unknown-layer"] * 10


def run(*command: str | Path, cwd: Path, **environment: str) -> list[str]:
    """Run a program and return the lines that it prints."""
    name = str(command[0])
    assert shutil.which(name), f"{name} is missing: run requirements/outside"

    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def compile_and_run_typescript(program: str, folder: Path, arguments: list[str]) -> list[str]:
    """Compile a program beside its generated client with strict types, and run it."""
    assert NODE_MODULES.is_dir(), "npm packages are missing: run requirements/clients/install"
    (folder / "node_modules").symlink_to(NODE_MODULES)
    shutil.copy(PROGRAMS / program, folder)

    options = ["--strict", "--target", "es2022", "--module", "commonjs", "--types", "node"]
    compiler = NODE_MODULES / ".bin" / "tsc"
    run(compiler, *options, "--moduleResolution", "node10", "--outDir", "out", program, cwd=folder)
    return run("node", f"out/{program.replace('.ts', '.js')}", *arguments, cwd=folder)


def test_generated_typescript_client_gets_every_answer(
    arguments: list[str], expected: list[str], tmp_path: Path
) -> None:
    generate_client("typescript-fetch", tmp_path / "lens")

    assert compile_and_run_typescript("generated.ts", tmp_path, arguments) == expected


def test_typed_fetch_gets_every_answer(
    arguments: list[str], expected: list[str], tmp_path: Path
) -> None:
    program = NODE_MODULES / ".bin" / "openapi-typescript"
    run(program, DOCUMENT, "--output", tmp_path / "lens.ts", cwd=tmp_path)

    assert compile_and_run_typescript("typed.ts", tmp_path, arguments) == expected


def test_generated_java_client_gets_every_answer(
    arguments: list[str], expected: list[str], tmp_path: Path
) -> None:
    """Its HTTP client is that of the JDK in its default settings."""
    generate_client(
        "java",
        tmp_path,
        library="native",
        invokerPackage="lens",
        apiPackage="lens.api",
        modelPackage="lens.model",
        openApiNullable="false",
        useJakartaEe="true",
    )
    sources = [*(tmp_path / "src" / "main" / "java").rglob("*.java"), PROGRAMS / "Calls.java"]

    path = ":".join([*JARS, str(tmp_path / "classes")])
    run("javac", "-nowarn", "-cp", path, "-d", "classes", *sources, cwd=tmp_path)
    assert run("java", "-cp", path, "Calls", *arguments, cwd=tmp_path) == expected


def write_go_module(folder: Path) -> None:
    """Write the module of the Go program, with a stand-in for the one module that clients need.

    The generated code of an exam's images, which are answered or refused, calls the validator for
    tags that no schema has.
    """
    validator = folder / "validator"
    validator.mkdir()
    (validator / "go.mod").write_text("module gopkg.in/validator.v2\n\ngo 1.19\n", "utf-8")
    code = "package validator\n\nfunc Validate(interface{}) error { return nil }\n"
    (validator / "validator.go").write_text(code, "utf-8")

    lines = [
        "module example.org/client",
        "go 1.19",
        "require gopkg.in/validator.v2 v2.0.0",
        "replace gopkg.in/validator.v2 => ./validator",
    ]
    (folder / "go.mod").write_text("\n\n".join(lines) + "\n", "utf-8")


def test_generated_go_client_gets_every_answer(
    arguments: list[str], expected: list[str], tmp_path: Path
) -> None:
    generate_client("go", tmp_path / "lens", packageName="lens", withGoMod="false")
    shutil.rmtree(tmp_path / "lens" / "test")  # needs packages that are not in the standard library
    shutil.copy(PROGRAMS / "main.go", tmp_path)
    write_go_module(tmp_path)

    settings = {"GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOCACHE": str(tmp_path / "cache")}
    run("go", "build", "-o", "calls", ".", cwd=tmp_path, **settings)
    assert run(tmp_path / "calls", *arguments, cwd=tmp_path) == expected
