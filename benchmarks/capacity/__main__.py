"""Plan the capacity of the service: measure costs, simulate load, and compare both with a server.

    python -m benchmarks.capacity steps [--rounds 4] [--seconds 5] [--out FILE]
    python -m benchmarks.capacity memory [--readers 1 2 4 8]
    python -m benchmarks.capacity simulate [--exams-a-day 200] [--instances 1] [--cores 2]
    python -m benchmarks.capacity compare [--loads 0.6 1.0 2.0] [--deadline 2] [--seconds 30]

`steps` measures the processor time of requests by step, size and transfer syntax. It counts the
service and its reader processes. The table goes to docs/capacity.md.

`memory` prints the service's own plan of its memory, by reader processes.

`simulate` offers requests to simulated instances: arrivals, queues, lanes, deadlines and the
service's own rule of admission. The costs are those of `steps`.

`compare` starts a server, offers it arrivals that do not wait for answers, and simulates the same.

Each command explains its options with `--help`.
"""

import importlib
import sys

from service.host import cores

COMMANDS = ("steps", "memory", "simulate", "compare")


def main() -> int:
    """Run a command. Return its exit code."""
    words = sys.argv[1:]
    if not words or words[0] not in COMMANDS:
        print(__doc__)
        return 0 if words in ([], ["--help"]) else 2

    # As in the service, and before NumPy is imported.
    cores.bound_blas()
    command = importlib.import_module(f"benchmarks.capacity.{words[0]}_command")
    code: int = command.main(words[1:])
    return code


if __name__ == "__main__":
    sys.exit(main())
