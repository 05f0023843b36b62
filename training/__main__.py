"""Run a step of training: `python -m training COMMAND`."""

import sys

from service.host import cores

if __name__ == "__main__":
    cores.bound_blas()

    # It imports NumPy, which must come after.
    from training.commands import main

    sys.exit(main())
