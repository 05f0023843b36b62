"""Generators of clients from the OpenAPI document."""

import subprocess
import sys
from pathlib import Path

from tests.support.paths import ROOT

DOCUMENT = ROOT / "openapi" / "openapi.json"
SCRIPTS = Path(sys.executable).parent


def generate(program: list[str | Path]) -> None:
    """Run a client generator."""
    done = subprocess.run(program, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def generate_client(kind: str, out: Path, **options: str) -> None:
    """Generate a client with openapi-generator.

    `kind`: the generator's name for the language. `options`: of that language's generator.
    """
    properties = ",".join(f"{name}={value}" for name, value in options.items())
    program = SCRIPTS / "openapi-generator-cli"
    command: list[str | Path] = [program, "generate", "-g", kind, "-i", DOCUMENT, "-o", out]
    if properties:
        command.append(f"--additional-properties={properties}")
    generate(command)
