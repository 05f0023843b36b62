"""Commands of training: phantoms, prepare, train, evaluate, scorecard and export."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from service.errors import MammolensError
from training import command_texts
from training.config import load_experiment
from training.data.table import load_records
from training.fit.run import Run

# TensorFlow takes seconds to import, so each command imports what it needs when it runs, and `--help` answers at once.
# ruff: noqa: PLC0415

COMMANDS: Mapping[str, str] = {
    "phantoms": "render synthetic mammograms",
    "prepare": "decode and fit images",
    "train": "train the network",
    "evaluate": "measure the network",
    "scorecard": "test for shortcuts",
    "export": "write the bundle",
}
"""Help of each command by name."""


def main(arguments: Sequence[str] | None = None, prog: str = "python -m training") -> int:
    """Run a command. Return the exit code: 0, or 2 with one message on standard error that names the remedy."""
    options = _parser(prog).parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        options.command(options)
    except (MammolensError, FileExistsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        print(
            f"error: {error.name} is not installed here: run `make training` first.",
            file=sys.stderr,
        )
        return 2
    return 0


def _parser(prog: str) -> argparse.ArgumentParser:
    style = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog,
        description=command_texts.OVERVIEW,
        epilog=command_texts.WALK_THROUGH,
        formatter_class=style,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    phantoms = commands.add_parser(
        "phantoms",
        help=COMMANDS["phantoms"],
        description=command_texts.PHANTOMS,
        formatter_class=style,
    )
    phantoms.set_defaults(command=_phantoms)
    phantoms.add_argument("--out", type=Path, required=True, help="directory to make")
    phantoms.add_argument(
        "--patients", type=_positive, required=True, help="number of patients, four images each"
    )
    phantoms.add_argument(
        "--seed",
        type=_positive,
        default=2022,
        help="another seed, other patients (default: %(default)s)",
    )
    phantoms.add_argument(
        "--cancer-rate",
        type=_share,
        default=0.5,
        help="share of patients with a cancer (default: %(default)s)",
    )
    _add_workers(phantoms)

    prepare = commands.add_parser(
        "prepare",
        help=COMMANDS["prepare"],
        description=command_texts.PREPARE,
        formatter_class=style,
    )
    prepare.set_defaults(command=_prepare)
    _add_experiment(prepare)
    _add_workers(prepare)

    train = commands.add_parser(
        "train", help=COMMANDS["train"], description=command_texts.TRAIN, formatter_class=style
    )
    train.set_defaults(command=_train)
    _add_experiment(train)
    train.add_argument(
        "--run", type=Path, help="run directory (default: runs/<name of the experiment's file>)"
    )

    evaluate = commands.add_parser(
        "evaluate",
        help=COMMANDS["evaluate"],
        description=command_texts.EVALUATE,
        formatter_class=style,
    )
    evaluate.set_defaults(command=_evaluate)
    evaluate.add_argument("run", type=Path, help="run directory that `train` has made")

    scorecard = commands.add_parser(
        "scorecard",
        help=COMMANDS["scorecard"],
        description=command_texts.SCORECARD,
        formatter_class=style,
    )
    scorecard.set_defaults(command=_scorecard, parser=scorecard)
    scorecard.add_argument(
        "run", type=Path, nargs="?", help="run directory that `evaluate` has measured"
    )
    scorecard.add_argument(
        "--keras", type=Path, help="a Keras classifier that was not trained here"
    )
    scorecard.add_argument("--bundle", type=Path, help="TOML file that describes it")
    scorecard.add_argument(
        "--experiment", type=Path, help="TOML file of an experiment: its images are used"
    )
    scorecard.add_argument("--out", type=Path, help="JSON file to write")

    export = commands.add_parser(
        "export", help=COMMANDS["export"], description=command_texts.EXPORT, formatter_class=style
    )
    export.set_defaults(command=_export, parser=export)
    export.add_argument(
        "run", type=Path, nargs="?", help="run directory that `evaluate` has measured"
    )
    export.add_argument("--keras", type=Path, help="a Keras classifier that was not trained here")
    export.add_argument("--bundle", type=Path, help="TOML file that describes it")
    export.add_argument(
        "--out", type=Path, required=True, help="bundle directory: models/<name>/<version>"
    )
    export.add_argument("--scorecard", type=Path, help="what `scorecard --keras` has written")
    export.add_argument(
        "--require-scorecard",
        action="store_true",
        help="refuse a model that has no scorecard or failed it",
    )
    export.add_argument(
        "--overwrite", action="store_true", help="replace a bundle that is there already"
    )
    return parser


def _add_experiment(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("experiment", type=Path, help="TOML file of the experiment")


def _add_workers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--workers",
        type=_positive,
        default=os.cpu_count(),
        help="processes (default: one per core)",
    )


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
    from training.phantoms import write_dataset

    write_dataset(
        options.out,
        patients=options.patients,
        seed=options.seed,
        cancer_rate=options.cancer_rate,
        workers=options.workers,
    )


def _prepare(options: argparse.Namespace) -> None:
    from training.data.prepare import prepare

    experiment = load_experiment(options.experiment)
    outcome = prepare(load_records(experiment), experiment, options.workers)
    print(
        f"{outcome.prepared} images prepared, {outcome.present} were there already, {len(outcome.failures)} unusable",
        end="",
    )
    print(f": see {outcome.report}" if outcome.failures else "")


def _train(options: argparse.Namespace) -> None:
    from training.data.cache import open_part
    from training.data.split import split_records
    from training.fit.train import best_epoch, train

    experiment = load_experiment(options.experiment)
    run = Run(options.run or Path("runs", options.experiment.stem))
    run.begin(options.experiment)
    split = split_records(load_records(experiment), experiment.split)
    history = train(
        run, experiment, open_part(split.train, experiment), open_part(split.validation, experiment)
    )
    print(f"{run.best_model}: epoch {best_epoch(history)} of {len(history)}")


def _evaluate(options: argparse.Namespace) -> None:
    from training.data.cache import open_part
    from training.data.split import split_records
    from training.evaluation.evaluate import evaluate, headline

    run = Run(options.run)
    experiment = run.experiment()
    split = split_records(load_records(experiment), experiment.split)
    document = evaluate(
        run, experiment, open_part(split.validation, experiment), open_part(split.test, experiment)
    )
    for name, value in headline(document).items():
        print(f"{name:<40}{value:.4g}")


def _scorecard(options: argparse.Namespace) -> None:
    from training.export.publish import describe_foreign_model, describe_run
    from training.scorecard import score_experiment
    from training.scorecard.report import write_report

    foreign = [options.keras, options.bundle, options.experiment, options.out]
    if (options.run is None) != all(foreign) or (options.run is not None and any(foreign)):
        options.parser.error(
            "give either a run directory, or all of --keras, --bundle, --experiment and --out"
        )
    if options.run is None:
        model, manifest = describe_foreign_model(options.keras, options.bundle)
        keras_file, experiment, out = (
            options.keras,
            load_experiment(options.experiment),
            options.out,
        )
    else:
        run = Run(options.run)
        model, manifest = describe_run(run)
        keras_file, experiment, out = run.best_model, run.experiment(), run.scorecard
    report = score_experiment(model, manifest, experiment)
    write_report(out, keras_file, report)
    for line in report.scorecard.lines:
        value = "-" if line.value is None else f"{line.value:.4g}"
        print(f"{line.verdict:<12} {line.name:<24} {value:>10}   {line.asked}")
    failed = report.scorecard.failed
    print(f"{out}: {'failed ' + ', '.join(failed) if failed else 'passed'}")


def _export(options: argparse.Namespace) -> None:
    from training.export.publish import export_foreign_model, export_run

    foreign = options.keras is not None and options.bundle is not None
    if foreign == (options.run is not None):
        options.parser.error("give either a run directory, or both --keras and --bundle")
    if options.run is not None and options.scorecard is not None:
        options.parser.error("--scorecard goes with --keras; a run has its own")
    common = {"overwrite": options.overwrite, "require_scorecard": options.require_scorecard}
    if foreign:
        path = export_foreign_model(
            options.keras, options.bundle, options.out, scorecard=options.scorecard, **common
        )
    else:
        path = export_run(Run(options.run), options.out, **common)
    print(path)
