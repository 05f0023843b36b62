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
  scorecard  test whether it learned anatomy or a shortcut    -> runs/<experiment>/scorecard.json
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
  python -m training evaluate  runs/demo
  python -m training scorecard runs/demo
  python -m training export    runs/demo --out models/demo/1 --require-scorecard

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
SCORECARD = """\
Test the network on images it has not seen: what is left of it without the breast, with the corners alone or without
markers, whether its heatmaps point into the breast and differ between images, whether they change when its weights are
made random, and, where lesion masks are known, how well each method finds them. The ranges that single images' figures
are compared with, and what the network's images look like to it, come along. `export` puts all of it into the bundle.

  python -m training scorecard runs/demo

A network that was not trained here is tested on the images of an experiment:

  python -m training scorecard --keras my.keras --bundle my.toml --experiment my-data.toml --out my-scorecard.json
"""
EXPORT = """\
Write the bundle that the service loads: a SavedModel with its explanations, manifest, self-test and model card. --out
ends in <name>/<version>.

  python -m training export runs/demo --out models/demo/1 --require-scorecard

Any Keras functional or sequential classifier can be exported too. A TOML file then says what an evaluation would
have: its sections are
[fit], [decision] (classes, positive_class, threshold, threshold_rule, temperature) and [bundle].

  python -m training export --keras my.keras --bundle my.toml --scorecard my-scorecard.json --out models/mine/1
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

    scorecard = commands.add_parser(
        "scorecard", help="test for shortcuts", description=SCORECARD, formatter_class=style
    )
    scorecard.set_defaults(command=_scorecard, parser=scorecard)
    scorecard.add_argument("run", type=Path, nargs="?", help="run directory that `evaluate` has measured")
    scorecard.add_argument("--keras", type=Path, help="a Keras classifier that was not trained here")
    scorecard.add_argument("--bundle", type=Path, help="TOML file that describes it")
    scorecard.add_argument("--experiment", type=Path, help="TOML file of an experiment: its images are used")
    scorecard.add_argument("--out", type=Path, help="JSON file to write")

    export = commands.add_parser("export", help="write the bundle", description=EXPORT, formatter_class=style)
    export.set_defaults(command=_export, parser=export)
    export.add_argument("run", type=Path, nargs="?", help="run directory that `evaluate` has measured")
    export.add_argument("--keras", type=Path, help="a Keras classifier that was not trained here")
    export.add_argument("--bundle", type=Path, help="TOML file that describes it")
    export.add_argument("--out", type=Path, required=True, help="bundle directory: models/<name>/<version>")
    export.add_argument("--scorecard", type=Path, help="what `scorecard --keras` has written")
    export.add_argument(
        "--require-scorecard", action="store_true", help="refuse a model that has no scorecard or failed it"
    )
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


def _scorecard(options: argparse.Namespace) -> None:
    from training.findings import write_findings
    from training.publish import describe_foreign_model, describe_run
    from training.scorecard import score_experiment

    foreign = [options.keras, options.bundle, options.experiment, options.out]
    if (options.run is None) != all(foreign) or (options.run is not None and any(foreign)):
        options.parser.error("give either a run directory, or all of --keras, --bundle, --experiment and --out")
    if options.run is None:
        model, manifest = describe_foreign_model(options.keras, options.bundle)
        keras_file, experiment, out = options.keras, load_experiment(options.experiment), options.out
    else:
        run = Run(options.run)
        model, manifest = describe_run(run)
        keras_file, experiment, out = run.best_model, run.experiment(), run.scorecard
    findings = score_experiment(model, manifest, experiment)
    write_findings(out, keras_file, findings)
    for line in findings.scorecard.lines:
        value = "-" if line.value is None else f"{line.value:.4g}"
        print(f"{line.verdict:<12} {line.name:<24} {value:>10}   {line.asked}")
    failed = findings.scorecard.failed
    print(f"{out}: {'failed ' + ', '.join(failed) if failed else 'passed'}")


def _export(options: argparse.Namespace) -> None:
    from training.publish import export_foreign_model, export_run

    foreign = options.keras is not None and options.bundle is not None
    if foreign == (options.run is not None):
        options.parser.error("give either a run directory, or both --keras and --bundle")
    if options.run is not None and options.scorecard is not None:
        options.parser.error("--scorecard goes with --keras; a run has its own")
    common = {"overwrite": options.overwrite, "require_scorecard": options.require_scorecard}
    if foreign:
        path = export_foreign_model(options.keras, options.bundle, options.out, scorecard=options.scorecard, **common)
    else:
        path = export_run(Run(options.run), options.out, **common)
    print(path)


if __name__ == "__main__":
    sys.exit(main())
