"""The command line of training: `python -m training --help`."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from service.errors import MammolensError
from training.config import load_experiment
from training.dataset import load_records
from training.run import Run

# TensorFlow takes seconds to import, so each command imports what it needs when it runs, and `--help` answers at once.
# ruff: noqa: PLC0415

OVERVIEW = """\
Train, measure and export a mammogram classifier, one step at a time:

  phantoms   render synthetic mammograms with known lesions   -> a data directory
  prepare    decode and fit every image once                  -> the cache
  train      fit the network, stop when it stops improving    -> runs/<experiment>/best.keras
  evaluate   choose temperature and threshold, then measure   -> runs/<experiment>/evaluation.json, *.png
  export     write the bundle that the service loads          -> models/<name>/<version>/

An experiment is one TOML file with every hyperparameter in it; training/experiments/demo.toml explains each. Its
paths are relative to the directory you are in. `prepare` and `train` can be interrupted and run again: they go on where
they were.
"""
WALK_THROUGH = """\
example, from nothing to a bundle:
  python -m training phantoms --out data/phantoms --patients 700
  python -m training prepare  training/experiments/demo.toml
  python -m training train    training/experiments/demo.toml
  python -m training evaluate runs/demo
  python -m training export   runs/demo --out models/demo/1

`python -m training COMMAND --help` says more of each.
"""
PHANTOMS = """\
Render synthetic patients of four views each, as DICOM files with a table in the columns of the RSNA 2022 challenge,
the masks of breasts and the masks of the lesions that make an image positive.

  python -m training phantoms --out data/phantoms --patients 700
  python -m training phantoms --out data/small --patients 20 --cancer-rate 0.3 --seed 7
"""
PREPARE = """\
Decode and fit every image of the table into the cache, with the service's own decoder and fit, in parallel. An image
that cannot be used is listed in <cache>/failures.csv with the reason, and left out of training.

  python -m training prepare training/experiments/demo.toml
"""
TRAIN = """\
Train until the validation loss has not fallen for `patience` epochs. Every epoch leaves a checkpoint: after a kill,
the same command goes on where it was, to the same figures. Watch it with `tensorboard --logdir runs`.

  python -m training train training/experiments/demo.toml
  python -m training train my.toml --run runs/my-second-try
"""
EVALUATE = """\
Fit the temperature and choose the threshold on the validation patients, then measure on the test patients: AUC with
an interval drawn by patient, sensitivity at 90 % specificity, the confusion matrix, calibration, and, where lesion
masks are known, how often the peak of Grad-CAM lies in the lesion.

  python -m training evaluate runs/demo
"""
EXPORT = """\
Write the bundle that the service loads: a SavedModel with its explanations, manifest, self-test and model card. --out
ends in <name>/<version>.

  python -m training export runs/demo --out models/demo/1

Any Keras functional or sequential classifier can be exported too. A TOML file then says what an evaluation would
have: its sections are
[fit], [decision] (classes, positive_class, threshold, threshold_rule, temperature) and [bundle].

  python -m training export --keras my.keras --bundle my.toml --out models/mine/1
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0, or 2 with one message on standard error for what the caller can put right."""
    options = _parser().parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        options.command(options)
    except (MammolensError, FileExistsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        print(f"error: {error.name} is not installed here: run `make training` first.", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    style = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "python -m training", description=OVERVIEW, epilog=WALK_THROUGH, formatter_class=style
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    phantoms = commands.add_parser(
        "phantoms", help="render synthetic mammograms", description=PHANTOMS, formatter_class=style
    )
    phantoms.set_defaults(command=_phantoms)
    phantoms.add_argument("--out", type=Path, required=True, help="directory to make")
    phantoms.add_argument("--patients", type=_positive, required=True, help="number of patients, four images each")
    phantoms.add_argument(
        "--seed", type=_positive, default=2022, help="another seed, other patients (default: %(default)s)"
    )
    phantoms.add_argument(
        "--cancer-rate", type=_share, default=0.5, help="share of patients with a cancer (default: %(default)s)"
    )
    _add_workers(phantoms)

    prepare = commands.add_parser("prepare", help="decode and fit images", description=PREPARE, formatter_class=style)
    prepare.set_defaults(command=_prepare)
    _add_experiment(prepare)
    _add_workers(prepare)

    train = commands.add_parser("train", help="train the network", description=TRAIN, formatter_class=style)
    train.set_defaults(command=_train)
    _add_experiment(train)
    train.add_argument("--run", type=Path, help="run directory (default: runs/<name of the experiment's file>)")

    evaluate = commands.add_parser("evaluate", help="measure the network", description=EVALUATE, formatter_class=style)
    evaluate.set_defaults(command=_evaluate)
    evaluate.add_argument("run", type=Path, help="run directory that `train` has made")

    export = commands.add_parser("export", help="write the bundle", description=EXPORT, formatter_class=style)
    export.set_defaults(command=_export, parser=export)
    export.add_argument("run", type=Path, nargs="?", help="run directory that `evaluate` has measured")
    export.add_argument("--keras", type=Path, help="a Keras classifier that was not trained here")
    export.add_argument("--bundle", type=Path, help="TOML file that describes it")
    export.add_argument("--out", type=Path, required=True, help="bundle directory: models/<name>/<version>")
    export.add_argument("--overwrite", action="store_true", help="replace a bundle that is there already")
    return parser


def _add_experiment(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("experiment", type=Path, help="TOML file of the experiment")


def _add_workers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workers", type=_positive, default=os.cpu_count(), help="processes (default: one per core)")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _share(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError("must be between 0 and 1")
    return number


def _phantoms(options: argparse.Namespace) -> None:
    from training.phantom import write_dataset

    write_dataset(
        options.out,
        patients=options.patients,
        seed=options.seed,
        cancer_rate=options.cancer_rate,
        workers=options.workers,
    )


def _prepare(options: argparse.Namespace) -> None:
    from training.prepare import prepare

    experiment = load_experiment(options.experiment)
    outcome = prepare(load_records(experiment), experiment, options.workers)
    print(
        f"{outcome.prepared} images prepared, {outcome.present} were there already, {len(outcome.failures)} unusable",
        end="",
    )
    print(f": see {outcome.report}" if outcome.failures else "")


def _train(options: argparse.Namespace) -> None:
    from training.cache import open_part
    from training.split import split_records
    from training.train import best_epoch, train

    experiment = load_experiment(options.experiment)
    run = Run(options.run or Path("runs", options.experiment.stem))
    run.begin(options.experiment)
    split = split_records(load_records(experiment), experiment.split)
    history = train(run, experiment, open_part(split.train, experiment), open_part(split.validation, experiment))
    print(f"{run.best_model}: epoch {best_epoch(history)} of {len(history)}")


def _evaluate(options: argparse.Namespace) -> None:
    from training.cache import open_part
    from training.evaluate import evaluate, headline
    from training.split import split_records

    run = Run(options.run)
    experiment = run.experiment()
    split = split_records(load_records(experiment), experiment.split)
    document = evaluate(run, experiment, open_part(split.validation, experiment), open_part(split.test, experiment))
    for name, value in headline(document).items():
        print(f"{name:<40}{value:.4g}")


def _export(options: argparse.Namespace) -> None:
    from training.publish import export_foreign_model, export_run

    foreign = options.keras is not None and options.bundle is not None
    if foreign == (options.run is not None):
        options.parser.error("give either a run directory, or both --keras and --bundle")
    if foreign:
        path = export_foreign_model(options.keras, options.bundle, options.out, overwrite=options.overwrite)
    else:
        path = export_run(Run(options.run), options.out, overwrite=options.overwrite)
    print(path)


if __name__ == "__main__":
    sys.exit(main())
