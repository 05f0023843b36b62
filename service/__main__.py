"""`python -m service`: start the service, or run another of its commands."""

import sys

from service.cli import main

if __name__ == "__main__":
    sys.exit(main())
