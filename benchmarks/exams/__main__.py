"""Exams and their objects: decisions on unseen patients, time beside single images, memory.

    python -m benchmarks.exams unseen FOLDER [--patients 20]
    python -m benchmarks.exams time [FILE ...] [--rounds 10]
    python -m benchmarks.exams beside [--exams 20] [--rounds 3] [--burst]
    python -m benchmarks.exams objects [--rounds 5]
    python -m benchmarks.exams pixels [FILE ...] [--rounds 5]
    python -m benchmarks.exams memory

Every command starts the service itself, with the demo bundle or with that of `--bundle`.

`unseen` posts every patient of a folder with train.csv and train_images/<patient>/<image>.dcm. It
tells sensitivity and specificity of breasts and exams, also with fewer views, and counts how often
the answers keep the rules about order, duplicates, missing views and mixed patients.
`time` compares one exam with four heatmaps as JSON, on one core and on two.
`beside` compares `/predict` at half of its capacity beside exams, and beside as many heatmaps.
`objects` tells the time and the size of every object, and the memory of each process.
`pixels` tells the time and the size of an exam with its pixels beside the exam alone.
`memory` sends four of the largest uploads at once, beside the limit of docker-compose.yml.
"""

import argparse
import os
import time
from pathlib import Path

from benchmarks.exams import beside, exam_memory, exam_time, object_costs, pixel_costs, unseen
from benchmarks.load.servers import DEMO


def main() -> None:
    """Print the tables of one command."""
    options = _parser().parse_args()
    bundle = options.bundle.resolve()
    print(f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}")

    match options.command:
        case "unseen":
            unseen.measure_unseen(bundle, options.folder, options.patients)
        case "time":
            exam_time.compare_times(bundle, options.files, options.rounds)
        case "beside":
            beside.compare_latencies(bundle, options.exams, options.rounds, is_burst=options.burst)
        case "objects":
            object_costs.measure_objects(bundle, options.rounds)
        case "pixels":
            pixel_costs.measure_pixels(bundle, options.files, options.rounds)
        case _:
            exam_memory.measure_uploads(bundle)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--bundle", type=Path, default=DEMO, help="version directory (default: the demo)"
    )
    commands = parser.add_subparsers(required=True, dest="command")

    unseen_command = commands.add_parser("unseen", help="decisions, and rules of the answers")
    unseen_command.add_argument("folder", type=Path, help="with train.csv and train_images")
    unseen_command.add_argument("--patients", type=int, help="the first ones (default: all)")

    time_command = commands.add_parser("time", help="one exam beside four heatmaps")
    time_command.add_argument("files", nargs="*", type=Path, help="four views; default: phantoms")
    time_command.add_argument("--rounds", type=int, default=10, help="default 10")

    beside_command = commands.add_parser("beside", help="predictions beside exams")
    beside_command.add_argument("--exams", type=int, default=20, help="of a round (default 20)")
    beside_command.add_argument("--rounds", type=int, default=3, help="default 3")
    beside_command.add_argument(
        "--burst", action="store_true", help="all at the start, not one after the other"
    )

    objects_command = commands.add_parser("objects", help="time and size of objects")
    objects_command.add_argument("--rounds", type=int, default=5, help="default 5")

    pixels_command = commands.add_parser("pixels", help="an exam with its pixels")
    pixels_command.add_argument("files", nargs="*", type=Path, help="default: phantoms")
    pixels_command.add_argument("--rounds", type=int, default=5, help="default 5")
    commands.add_parser("memory", help="four of the largest uploads at once")
    return parser


if __name__ == "__main__":
    main()
