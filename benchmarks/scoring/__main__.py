"""Measure `mammolens score` beside a plain loop, and its memory on large archives.

    python -m benchmarks.scoring speed --images FOLDER [--model models/demo] [--ray] [--repeats 3]
    python -m benchmarks.scoring memory --images FOLDER [--copies 10]
    python -m benchmarks.scoring rows [--rows 1000000]
    python -m benchmarks.scoring kills --images FOLDER [--kills 10] [--ray]

FOLDER has DICOM files, such as `python -m training phantoms --patients 500 --out FOLDER` writes.

`speed` scores the folder with a plain loop over its files in as many threads as there are cores,
with `mammolens score`, and with it on Ray, each in a process of its own and in turn. Seconds
include the start of each.

`memory` scores the images several times over in one run, and tells the memory of all its processes
as it goes on.

`rows` scores a table of that many rows, whose decoder returns one and the same image. It tells the
largest memory of the process.

`kills` kills scorings at drawn moments, goes on with them, and compares the tables with those of an
uninterrupted one. With Ray, the driver, an actor and the raylet are killed in turn.
"""

import sys

from benchmarks.scoring import kills, large_table, memory, speed

COMMANDS = {
    "speed": speed.main,
    "memory": memory.main,
    "rows": large_table.main,
    "kills": kills.main,
}


def main() -> int:
    """Run a measurement. Return its exit code."""
    words = sys.argv[1:]
    if not words or words[0] not in COMMANDS:
        sys.stdout.write(f"{__doc__}\n")
        return 0 if words in ([], ["--help"]) else 2
    return COMMANDS[words[0]](words[1:])


if __name__ == "__main__":
    sys.exit(main())
