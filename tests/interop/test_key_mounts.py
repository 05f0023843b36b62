"""Keys in mounts, as containers have them: run as root, the service as the image's user."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.image_user import USER, as_image_user
from tests.support.paths import ROOT
from tests.support.servers import running

pytestmark = pytest.mark.interop


@pytest.fixture
def folder() -> Iterator[Path]:
    """Folder that every user can pass."""
    with tempfile.TemporaryDirectory() as made:
        path = Path(made)
        path.chmod(0o755)
        (path / "keys").mkdir()
        (path / "mount").mkdir()
        yield path


def call(*words: str | Path) -> None:
    subprocess.run(words, check=True)


@contextmanager
def mounted(source: Path, target: Path, *options: str) -> Iterator[None]:
    """Mount a file or folder at another place, as `docker run --volume` does."""
    call("mount", "--bind", source, target)
    if options:
        call("mount", "-o", f"remount,bind,{','.join(options)}", target)
    try:
        yield
    finally:
        call("umount", target)


def command(
    *arguments: str | Path, wrapper: Sequence[str] = ()
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*wrapper, sys.executable, "-m", "service.access", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def status(address: str, key: str) -> int:
    return httpx.get(f"{address}/model", headers={"Authorization": f"Bearer {key}"}).status_code


@pytest.mark.parametrize("is_folder", [True, False], ids=["folder", "file"])
def test_key_is_revoked_from_outside_the_mount(folder: Path, *, is_folder: bool) -> None:
    source = folder / "keys" / "keys.toml"
    target = folder / "mount" / ("" if is_folder else "keys.toml")
    add = ("add", "--scopes", "none", "--owner", str(USER), "--file", source)
    key = command(*add, "viewer").stdout.strip()
    other = command(*add, "other").stdout.strip()

    with ExitStack() as stack:
        if not is_folder:
            target.touch()
        stack.enter_context(mounted(source.parent if is_folder else source, target, "ro"))
        server = stack.enter_context(running(wrapper=as_image_user(), MAMMOLENS_KEYS=str(target)))
        before = status(server.address, key)

        revoked = command("revoke", "viewer", "--file", source)

        assert (before, revoked.returncode) == (200, 0)
        assert status(server.address, key) == 401
        assert status(server.address, other) == 200


def test_key_is_revoked_inside_a_file_mount(folder: Path) -> None:
    """The file cannot be replaced there: EBUSY. The folder belongs to root."""
    source = folder / "keys" / "keys.toml"
    target = folder / "mount" / "keys.toml"
    target.touch()
    key = command("add", "viewer", "--owner", str(USER), "--file", source).stdout.strip()

    with (
        mounted(source, target),
        running(wrapper=as_image_user(), MAMMOLENS_KEYS=str(target)) as server,
    ):
        before = status(server.address, key)
        revoked = command("revoke", "viewer", "--file", target, wrapper=as_image_user())

        assert (before, revoked.returncode) == (200, 0)
        assert status(server.address, key) == 401
        assert [path.name for path in target.parent.iterdir()] == ["keys.toml"]
        assert source.stat().st_uid == USER


def test_file_of_another_user_names_the_remedy(folder: Path) -> None:
    file = folder / "keys" / "keys.toml"
    command("add", "viewer", "--file", file)

    started = subprocess.run(
        [*as_image_user(), sys.executable, "-m", "service"],
        cwd=ROOT,
        env={**os.environ, "MAMMOLENS_KEYS": str(file), "MAMMOLENS_MODEL": "fake", "PORT": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    read_only = command("revoke", "viewer", "--file", file, wrapper=as_image_user())

    assert started.returncode == 1
    assert started.stderr.splitlines()[-1].endswith(f"Give the file to it: chown {USER} FILE.")
    denied = "mammolens: The key file cannot be written: Permission denied.\n"
    assert (read_only.returncode, read_only.stderr) == (1, denied)


def test_read_only_mount_gives_one_line(folder: Path) -> None:
    file = folder / "mount" / "keys.toml"

    with mounted(folder / "keys", file.parent, "ro"):
        added = command("add", "viewer", "--file", file)

    expected = "mammolens: The key file cannot be written: Read-only file system.\n"
    assert (added.returncode, added.stderr) == (1, expected)


def test_full_disk_keeps_every_key(folder: Path) -> None:
    file = folder / "mount" / "keys.toml"
    call("mount", "-t", "tmpfs", "-o", "size=8k", "none", file.parent)

    try:
        keys = [command("add", f"key-{number}", "--file", file) for number in range(60)]
        added = [key for key in keys if key.returncode == 0]
        listed = command("list", "--file", file).stdout.splitlines()
        revoked = command("revoke", "key-0", "--file", file)
    finally:
        call("umount", file.parent)

    assert 0 < len(added) < len(keys)
    assert keys[-1].stderr.endswith("No space left on device.\n")
    assert len(listed) == len(added)
    assert revoked.returncode == 0
