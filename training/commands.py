"""Command line of training: phantoms, table, prepare, train, evaluate, scorecard and export."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from service.errors import MammolensError
from training import command_texts
from training.command_texts import COMMANDS
from training.config_files import load_experiment, load_image_source
from training.data.table import load_records
from training.fit.run import Run
from training.tables.table_command import define_table

# TensorFlow takes seconds to import. Each command imports its own modules when it runs, so that
# `--help` does not wait.
# ruff: noqa: PLC0415

_FORMATTER = argparse.RawDescriptionHelpFormatter


def main(arguments: Sequence[str] | None = None, prog: str = "python -m training") -> int:
    """Run a command and return the exit code: 0, or 2 after an error.

    An error is reported as one message on standard error, which says how to fix it.
    """
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
    parser = argparse.ArgumentParser(
        prog,
        description=command_texts.OVERVIEW,
        epilog=command_texts.WALK_THROUGH,
        formatter_class=_FORMATTER,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    _define_phantoms(_add_command(commands, "phantoms", command_texts.PHANTOMS))
    define_table(_add_command(commands, "table", command_texts.TABLE))
    _define_prepare(_add_command(commands, "prepare", command_texts.PREPARE))
    _define_train(_add_command(commands, "train", command_texts.TRAIN), _train)
    _define_evaluate(_add_command(commands, "evaluate", command_texts.EVALUATE))
    _define_train(
        _add_command(commands, "cross-validate", command_texts.CROSS_VALIDATE), _cross_validate
    )
    _define_scorecard(_add_command(commands, "scorecard", command_texts.SCORECARD))
    _define_export(_add_command(commands, "export", command_texts.EXPORT))
    return parser


def _add_command(commands: Any, name: str, description: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=COMMANDS[name], description=description, formatter_class=_FORMATTER
    )
    return parser


def _define_phantoms(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_phantoms)
    parser.add_argument("--out", type=Path, required=True, help="directory to create")
    parser.add_argument(
        "--patients", type=_positive, required=True, help="number of patients, four images each"
    )
    parser.add_argument(
        "--seed",
        type=_positive,
        default=2022,
        help="seed; data sets of two seeds have no patient in common (default: %(default)s)",
    )
    parser.add_argument(
        "--cancer-rate",
        type=_share,
        default=0.5,
        help="share of patients with a cancer (default: %(default)s)",
    )
    _add_workers(parser)


def _define_prepare(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_prepare)
    _add_experiment(parser)
    parser.add_argument(
        "--replace",
        action="store_true",
        help="prepare images again that were prepared from a file with other content",
    )
    parser.add_argument(
        "--prune",
        action="store_true",
        help="then remove files of the cache that nothing reads any more",
    )
    _add_workers(parser)


def _define_train(
    parser: argparse.ArgumentParser, command: Callable[[argparse.Namespace], None]
) -> None:
    parser.set_defaults(command=command)
    _add_experiment(parser)
    parser.add_argument(
        "--run", type=Path, help="run directory (default: runs/<name of the experiment's file>)"
    )


def _define_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_evaluate)
    parser.add_argument("run", type=Path, help="run directory written by `train`")


def _define_scorecard(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_scorecard, parser=parser)
    _add_network(parser)
    parser.add_argument(
        "--experiment", type=Path, help="TOML file with [data], [split] and [fit] of the images"
    )
    parser.add_argument("--out", type=Path, help="JSON file to write")
    parser.add_argument(
        "--effort",
        choices=("quick", "default", "thorough"),
        default="default",
        help="number of images: more of them decide more lines (default: %(default)s)",
    )


def _define_export(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_export, parser=parser)
    _add_network(parser)
    parser.add_argument(
        "--out", type=Path, required=True, help="bundle directory: models/<name>/<version>"
    )
    parser.add_argument("--scorecard", type=Path, help="file written by `scorecard --keras`")
    parser.add_argument(
        "--require-scorecard",
        action="store_true",
        help="refuse a model without a scorecard, or with a line that failed or is undecided",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an existing bundle")


def _add_network(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, nargs="?", help="run directory measured by `evaluate`")
    parser.add_argument("--keras", type=Path, help="Keras classifier that was trained elsewhere")
    parser.add_argument("--bundle", type=Path, help="TOML file that describes this classifier")


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
    from training.data.cache_prune import prune
    from training.data.prepare import prepare

    source = load_image_source(options.experiment)
    outcome = prepare(load_records(source), source, options.workers, replace=options.replace)
    print(outcome.summary)
    if options.prune:
        print(prune(source.data.cache).summary)


def _train(options: argparse.Namespace) -> None:
    from training.fit.start import start
    from training.fit.train import best_epoch, train

    experiment = load_experiment(options.experiment)
    run = Run(options.run or Path("runs", options.experiment.stem))
    parts = start(run, options.experiment)

    history = train(run, experiment, parts.train, parts.validation)

    print(f"{run.best_model}: epoch {best_epoch(history)} of {len(history)}")


def _evaluate(options: argparse.Namespace) -> None:
    from training.evaluation.evaluate import evaluate
    from training.fit.start import open_data

    run = Run(options.run)
    experiment = run.experiment()

    document = evaluate(run, experiment, open_data(run, experiment))
    _print_headline(document)


def _cross_validate(options: argparse.Namespace) -> None:
    from training.evaluation.cross_validation import cross_validate

    run = Run(options.run or Path("runs", options.experiment.stem))
    _print_headline(cross_validate(run, options.experiment))


def _print_headline(document: Mapping[str, Any]) -> None:
    from training.evaluation.headline import headline

    for name, value in headline(document).items():
        print(f"{name:<40}{value:.4g}")


def _scorecard(options: argparse.Namespace) -> None:
    from training.export.publish import describe_foreign_model, describe_run
    from training.fit.start import open_data
    from training.scorecard import Parts, open_parts
    from training.scorecard.command import score_and_write

    foreign = [options.keras, options.bundle, options.experiment, options.out]
    if (options.run is None) != all(foreign) or (options.run is not None and any(foreign)):
        options.parser.error(
            "give either a run directory, or all of --keras, --bundle, --experiment and --out"
        )

    if options.run is None:
        model, manifest = describe_foreign_model(options.keras, options.bundle)
        keras_file = options.keras
        source = load_image_source(options.experiment)
        parts = open_parts(source, manifest)
        out = options.out
    else:
        run = Run(options.run)
        model, manifest = describe_run(run)
        keras_file = run.best_model
        source = run.experiment()
        prepared = open_data(run, source)
        parts = Parts(prepared.train, prepared.validation)
        out = run.scorecard

    report = score_and_write(
        model, manifest, source, parts, keras_file=keras_file, out=out, effort=options.effort
    )

    for line in report.scorecard.lines:
        print(f"{line.verdict:<12} {line.name:<24} {line.value_text:>24}   {line.asked}")
    print(f"{out}: {report.scorecard.outcome}")


def _export(options: argparse.Namespace) -> None:
    from training.export.publish import export_foreign_model, export_run

    foreign = options.keras is not None and options.bundle is not None
    if foreign == (options.run is not None):
        options.parser.error("give either a run directory, or both --keras and --bundle")
    if options.run is not None and options.scorecard is not None:
        options.parser.error("--scorecard needs --keras: a run has its own scorecard")

    common = {"overwrite": options.overwrite, "require_scorecard": options.require_scorecard}
    if foreign:
        path = export_foreign_model(
            options.keras, options.bundle, options.out, scorecard=options.scorecard, **common
        )
    else:
        path = export_run(Run(options.run), options.out, **common)
    print(path)
