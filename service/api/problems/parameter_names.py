"""Names of parameters in errors. Other text from the client is not repeated."""

import re

PARAMETER_NAME = re.compile(r"[a-z_-]{1,32}")


def shown_name(part: int | str) -> str:
    """Return a part of the place of a fault if it is a number or has the form of a name."""
    name = str(part)
    is_shown = isinstance(part, int) or PARAMETER_NAME.fullmatch(name) is not None
    return name if is_shown else "(not a parameter name)"
