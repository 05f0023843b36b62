"""Plants faults in models, and shows how the scorecard and the warnings of single images respond.

    python -m benchmarks.faults train     # train all models into build/faults: an hour on two cores
    python -m benchmarks.faults score     # measure their scorecards: another hour
    python -m benchmarks.faults warn      # collect the warnings of single unseen phantoms
    python -m benchmarks.faults report    # print the tables

`healthy` is the demo experiment with another seed. The faults are:

    untrained   random weights
    marker      trained on images in which every cancer has a bright square in a corner
    permuted    trained on shuffled labels
    dead        the healthy model with half the filters of every layer silenced by their bias
    diverged    the healthy model after some steps with a learning rate of 1

The images of the experiment must be prepared (`make model` does that).
"""

import argparse
import itertools
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from benchmarks.planted import diverge, permuted, plant, silence
from service.model import Manifest
from service.pipeline import assessment
from service.pipeline.class_explanation import explain_class
from service.records import Method
from training.config import Experiment, load_experiment
from training.evaluation.evaluate import choose
from training.fit.network import LOGITS, build_network, logits_model
from training.fit.run import Run, read_json, write_json
from training.fit.train import predict, train
from training.introspection.live_model import LiveModel
from training.introspection.own_model import describe_own_model
from training.scorecard import Parts, SampleSizes, open_parts, score_model
from training.scorecard.randomisation import randomise
from training.scorecard.report import read_report, write_report
from training.scorecard.sample import Sample, draw

EXPERIMENT = Path("training/experiments/demo.toml")
OUT = Path("build/faults")
FAULTS = ("healthy", "untrained", "marker", "permuted", "dead", "diverged")
SIZES = SampleSizes(
    domain=400, reference=100, tested=200, perturbed=20, randomised=16, every_layer=False
)
# The reference ranges of the healthy model are also used for its faults.
HEALTHY_SIZES = replace(SIZES, reference=400, perturbed=60)
UNSEEN = 100  # images whose warnings are counted
FULL = 24  # of these, images with full diagnostics
REFERENCES = ("own", "healthy")
EPOCHS = {"healthy": 10, "marker": 3, "permuted": 4}


def train_fault(fault: str, seed: int, experiment: Experiment, parts: Parts) -> None:
    """Write `<fault>-<seed>/best.keras` in the directory of this benchmark, unless it exists."""
    run = Run(OUT / f"{fault}-{seed}")
    if run.best_model.exists():
        return

    run.directory.mkdir(parents=True, exist_ok=True)
    if fault in EPOCHS:
        fit_fault(run, fault, seed, experiment, parts)
        return

    keras.utils.set_random_seed(seed)
    if fault == "untrained":
        model = build_network(experiment.fit.height, experiment.fit.width, experiment.network)
        # The logits layer starts from zeros, which would give no heatmap.
        randomise(model.get_layer(LOGITS))
    else:
        model = keras.saving.load_model(OUT / f"healthy-{seed}" / "best.keras", compile=False)
        if fault == "dead":
            silence(model, seed)
        else:
            diverge(model, experiment, parts.train)
    model.save(run.best_model)


def fit_fault(run: Run, fault: str, seed: int, experiment: Experiment, parts: Parts) -> None:
    """Train a network on the images and labels of that fault."""
    settings = experiment.training.model_copy(update={"seed": seed, "epochs": EPOCHS[fault]})

    planted = plant(fault, parts)
    if fault == "permuted":
        planted = replace(
            planted,
            train=permuted(parts.train, seed),
            validation=permuted(parts.validation, seed),
        )

    train(
        run,
        experiment.model_copy(update={"training": settings}),
        planted.train,
        planted.validation,
    )


def score_fault(fault: str, seed: int, experiment: Experiment, parts: Parts) -> None:
    """Write the scorecard of a model into its directory, unless it exists."""
    directory = OUT / f"{fault}-{seed}"
    out = directory / "scorecard.json"
    keras_file = directory / "best.keras"
    if out.exists():
        return

    network = keras.saving.load_model(keras_file, compile=False)
    planted = plant(fault, parts)
    manifest = describe_fault(network, experiment, planted)
    sizes = HEALTHY_SIZES if fault == "healthy" else SIZES

    scorecard = score_model(LiveModel(network, manifest), planted, None, sizes)
    write_report(out, keras_file, scorecard)


def warn_fault(fault: str, seed: int, experiment: Experiment, parts: Parts) -> None:
    """Write the warnings of single unseen images into the model's directory, unless they exist.

    Each image is judged by two references. One was measured on the model itself, as if it had been
    exported with its fault. The other is that of the healthy model, as if the fault came later.
    """
    directory = OUT / f"{fault}-{seed}"
    out = directory / "warnings.json"
    if out.exists():
        return

    planted = plant(fault, parts)
    network = keras.saving.load_model(directory / "best.keras", compile=False)
    manifest = describe_fault(network, experiment, planted)

    # The same network with each of the references.
    models = {}
    for reference in REFERENCES:
        source = directory if reference == "own" else OUT / f"healthy-{seed}"
        scorecard = read_report(source / "scorecard.json", source / "best.keras")
        if scorecard is None:
            raise SystemExit(f"{source} has no scorecard: run the step `score` first.")
        judged_by = manifest.model_copy(update={"reference": scorecard.reference})
        models[reference] = LiveModel(network, judged_by, scorecard.domain)

    sample = draw(planted.test, UNSEEN)
    write_json(
        out, [warn(models, sample, index, full=index < FULL) for index in range(len(sample))]
    )


def warn(
    models: Mapping[str, LiveModel], sample: Sample, index: int, *, full: bool
) -> dict[str, Any]:
    """Return the figures of one image and the codes of its warnings, by reference."""
    own = models["own"]
    explained = explain_class(
        own, sample.subject(index), Method.GRAD_CAM, own.manifest.default_layer, 1, full=full
    )
    assessments = {
        reference: assessment.assess_domain(model, explained.scores.features)
        + assessment.assess_heatmap(model, explained, 1)
        for reference, model in models.items()
    }

    return {
        "label": int(sample.labels[index]),
        "positive": assessment.is_positive(own, explained.scores),
        "full": full,
        "state": explained.heatmap.state,
        **{
            reference: {
                "codes": [warning.code for warning in assessed.warnings],
                "measures": {
                    name: asdict(diagnostic) for name, diagnostic in assessed.diagnostics.items()
                },
            }
            for reference, assessed in assessments.items()
        },
    }


def describe_fault(network: keras.Model, experiment: Experiment, planted: Parts) -> Manifest:
    """Return the manifest of a bundle of that network."""
    margins = predict(logits_model(network), planted.validation) @ np.array([-1.0, 1.0])
    choice = choose(planted.validation.labels, np.nan_to_num(margins))
    return describe_own_model(network, experiment, choice, figures={})


def report(faults: Sequence[str], seeds: Sequence[int]) -> None:
    """Print how many models fail each scorecard line, and how often each warning is raised."""
    print(
        f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}, {len(seeds)} models of each kind\n"
    )
    _report_failed_lines(faults, seeds)
    _report_warnings(faults, seeds)


def _report_failed_lines(faults: Sequence[str], seeds: Sequence[int]) -> None:
    """Print the number of models of each kind that fail each line of the scorecard."""
    print(f"{'failed lines':<26}" + "".join(f"{fault:>12}" for fault in faults))
    cards = {
        fault: [read_json(OUT / f"{fault}-{seed}" / "scorecard.json") for seed in seeds]
        for fault in faults
    }
    failed = {
        fault: [
            {line["name"] for line in card["scorecard"]["lines"] if line["verdict"] == "fail"}
            for card in fault_cards
        ]
        for fault, fault_cards in cards.items()
    }

    for line in cards[faults[0]][0]["scorecard"]["lines"]:
        if line["verdict"] != "informative":
            counts = (sum(line["name"] in names for names in failed[fault]) for fault in faults)
            print(f"{line['name']:<26}" + "".join(f"{count:>12}" for count in counts))
    print(f"{'any':<26}" + "".join(f"{sum(map(bool, failed[fault])):>12}" for fault in faults))


def _report_warnings(faults: Sequence[str], seeds: Sequence[int]) -> None:
    """Print the share of images with each warning, by reference and by extent of diagnostics."""
    rows = {
        fault: [
            row for seed in seeds for row in read_json(OUT / f"{fault}-{seed}" / "warnings.json")
        ]
        for fault in faults
    }

    for reference, full in itertools.product(REFERENCES, (False, True)):
        extent = f"full diagnostics of {FULL}" if full else f"quick diagnostics of {UNSEEN}"
        print(f"\n{extent} images a model, judged by the reference of the {reference} model")

        warned = {
            fault: [
                warning_codes(row, reference, full=full)
                for row in fault_rows
                if row["full"] or not full
            ]
            for fault, fault_rows in rows.items()
        }
        for code in sorted(set().union(*itertools.chain.from_iterable(warned.values()))):
            shares = [np.mean([code in codes for codes in warned[fault]]) for fault in faults]
            print(f"{code:<26}" + "".join(f"{share:>12.1%}" for share in shares))

        shares = [np.mean([bool(codes) for codes in warned[fault]]) for fault in faults]
        print(f"{'any':<26}" + "".join(f"{share:>12.1%}" for share in shares))


def warning_codes(row: Mapping[str, Any], reference: str, *, full: bool) -> set[str]:
    """Return the codes of the warnings of one image.

    Without `full`, warnings of the figures that take many passes are left out.
    """
    many_passes = {"unusual-insertion-gap", "heat-without-effect"}
    return set(row[reference]["codes"]) - (set() if full else many_passes)


STEPS = {"train": train_fault, "score": score_fault, "warn": warn_fault}


def main() -> None:
    """Run one step for every model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("step", choices=[*STEPS, "report"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--faults", nargs="+", choices=FAULTS, default=FAULTS)
    options = parser.parse_args()

    if options.step == "report":
        report(options.faults, options.seeds)
        return

    experiment = load_experiment(EXPERIMENT)
    parts = open_parts(experiment)
    for fault in options.faults:
        for seed in options.seeds:
            STEPS[options.step](fault, seed, experiment, parts)


if __name__ == "__main__":
    main()
