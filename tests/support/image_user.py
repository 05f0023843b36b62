"""Commands as the user of the image: root's work in tests that are marked `interop`."""

import sys
from pathlib import Path

USER = 10001

_DROP = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups")

# Root's home is closed to others. An interpreter in it is shown there in a mount namespace.
_SHOW = """
mount --bind "$1" /mnt
mount -t tmpfs -o mode=755 none "$2"
mkdir -p "$1"
mount --bind /mnt "$1"
shift 2
exec "$@"
"""


def as_image_user() -> list[str]:
    """Return the command that runs the rest of its arguments as this user, without any right."""
    interpreter = Path(sys.base_prefix)
    home = Path("/root")
    if home not in interpreter.parents:
        return [*_DROP]

    shell = ["sh", "-ec", _SHOW, "sh", str(interpreter), str(home)]
    return ["unshare", "--mount", *shell, *_DROP]
