"""Run a step of training: `python -m training COMMAND`."""

import sys

from training.commands import main

if __name__ == "__main__":
    sys.exit(main())
