"""Plants faults in models of two families, and shows how scorecard and warnings respond.

    python -m benchmarks.faults prepare    # fit the phantoms to the grid of each family
    python -m benchmarks.faults train      # train all models into build/faults
    python -m benchmarks.faults score      # measure their scorecards
    python -m benchmarks.faults warn       # collect the warnings of single unseen phantoms
    python -m benchmarks.faults report     # print the tables

A step that was interrupted goes on where it stopped. `--family`, `--faults` and `--seeds` choose a
part of the models. The families are in `benchmarks.families`, `healthy` is without a fault:

    untrained   random weights
    marker      trained on images in which every cancer has a bright square in a corner
    pattern     trained on images in which the breast of every cancer has a faint line pattern
    permuted    trained on shuffled labels
    dead        the healthy model with half the filters of every activated layer silenced
    diverged    the healthy model after some steps with a learning rate of 1
    whole       of the small network only: all its blocks, whose few cells each see the whole image
"""

import argparse
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from tqdm import tqdm

from benchmarks.families import OUT, Family, families, write_masses
from benchmarks.fault_report import FULL, REFERENCES, report
from benchmarks.planted import diverge, open_images, permuted
from service.model import Manifest
from service.pipeline import assessment
from service.pipeline.class_explanation import explain_class
from service.records import Method
from training.config import Requirements
from training.data.prepare import prepare
from training.data.prepared import PreparedSplit
from training.data.table import load_records
from training.evaluation.choice import choose
from training.evaluation_config import Targets
from training.fit.prediction import predict
from training.fit.run import Run, write_json
from training.fit.train import train
from training.introspection.live_model import LiveModel
from training.introspection.own_model import describe_own_model
from training.networks.cnn import LOGITS, logits_model
from training.scorecard import Parts, SampleSizes, Steps, score_model
from training.scorecard.randomisation import randomise
from training.scorecard.report import ScorecardReport, read_report, write_report
from training.scorecard.sample import Sample, draw

SIZES = SampleSizes(
    domain=200,
    tested=300,
    perturbed=20,
    randomised=8,
    localised=24,
    every_layer=False,
    methods=(Method.GRAD_CAM,),
)
# The reference ranges of the healthy model are also used for its faults.
HEALTHY_SIZES = replace(SIZES, perturbed=40)
UNSEEN = 100  # images whose warnings are counted


def prepare_family(family: Family, workers: int) -> None:
    """Decode and fit the phantoms for a family."""
    write_masses()
    prepare(load_records(family.experiment), family.experiment, workers)


def directory_of(family: Family, fault: str, seed: int) -> Path:
    """Return the directory of a model."""
    return OUT / family.name / f"{fault}-{seed}"


def train_fault(family: Family, fault: str, seed: int) -> None:
    """Write `best.keras` into the directory of a model, unless it exists."""
    run = Run(directory_of(family, fault, seed))
    if run.best_model.exists():
        return

    run.directory.mkdir(parents=True, exist_ok=True)
    images = open_images(family.experiment, fault)
    if fault in family.epochs:
        fit_fault(run, family, fault, seed, images)
        return

    keras.utils.set_random_seed(seed)
    if fault == "untrained":
        model = family.build(family.experiment)
        # The logits layer starts from zeros, which would give no heatmap.
        randomise(model.get_layer(LOGITS))
    else:
        healthy = directory_of(family, "healthy", seed) / "best.keras"
        model = keras.saving.load_model(healthy, compile=False)
        if fault == "dead":
            family.silence(model, seed)
        else:
            diverge(model, family.experiment, images.train)
    model.save(run.best_model)


def fit_fault(run: Run, family: Family, fault: str, seed: int, images: PreparedSplit) -> None:
    """Train a network on the images and labels of that fault."""
    update = {"seed": seed, "epochs": family.epochs[fault]}
    experiment = family.experiment.model_copy(
        update={"training": family.experiment.training.model_copy(update=update)}
    )

    train_part = images.train
    validation_part = images.validation
    if fault == "permuted":
        train_part = permuted(train_part, seed)
        validation_part = permuted(validation_part, seed)
    build = family.others.get(fault, family.build)
    train(run, experiment, train_part, validation_part, build=build)


def score_fault(family: Family, fault: str, seed: int) -> None:
    """Write the scorecard of a model into its directory, unless it exists."""
    directory = directory_of(family, fault, seed)
    out = directory / "scorecard.json"
    keras_file = directory / "best.keras"
    if out.exists():
        return

    network = keras.saving.load_model(keras_file, compile=False)
    images = open_images(family.experiment, fault)
    manifest = describe_fault(network, family, images)
    sizes = HEALTHY_SIZES if fault == "healthy" else SIZES

    bar: tqdm[Any] = tqdm(desc=f"{fault} {seed}", unit="pass", leave=False)
    with bar:
        scorecard = score_model(
            LiveModel(network, manifest),
            Parts(images.train, images.validation),
            sizes,
            Requirements(),
            Steps(directory / "scorecard.partial", bar),
        )
    write_report(out, keras_file, scorecard)


def warn_fault(family: Family, fault: str, seed: int) -> None:
    """Write the warnings of single unseen images into the model's directory, unless they exist.

    Each image is judged by two references. One was measured on the model itself, as if it had been
    exported with its fault. The other is that of the healthy model, as if the fault came later. A
    network of another shape has no healthy one to be compared with.
    """
    directory = directory_of(family, fault, seed)
    out = directory / "warnings.json"
    if out.exists():
        return

    images = open_images(family.experiment, fault)
    network = keras.saving.load_model(directory / "best.keras", compile=False)
    manifest = describe_fault(network, family, images)

    # The same network with each of the references.
    models = {}
    references = REFERENCES[:1] if fault in family.others else REFERENCES
    for reference in references:
        source = directory if reference == "own" else directory_of(family, "healthy", seed)
        scorecard = require_report(source)
        judged_by = manifest.model_copy(update={"reference": scorecard.reference})
        models[reference] = LiveModel(network, judged_by, scorecard.domain)

    sample = draw(images.test, UNSEEN)
    write_json(
        out, [warn(models, sample, index, full=index < FULL) for index in range(len(sample))]
    )


def require_report(directory: Path) -> ScorecardReport:
    """Return the scorecard of the model in a directory."""
    scored = read_report(directory / "scorecard.json", directory / "best.keras")
    if scored is None:
        raise SystemExit(f"{directory} has no scorecard: run the step `score` first.")
    return scored


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


def describe_fault(network: keras.Model, family: Family, images: PreparedSplit) -> Manifest:
    """Return the manifest of a bundle of that network."""
    margins = predict(logits_model(network), images.validation) @ np.array([-1.0, 1.0])
    prevalence = float(images.train.labels.mean())
    choice = choose(images.validation.records, np.nan_to_num(margins), Targets(), prevalence)
    return describe_own_model(network, family.experiment, choice, figures={})


STEPS = {"train": train_fault, "score": score_fault, "warn": warn_fault}


def main() -> None:
    """Run one step for every model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("step", choices=["prepare", *STEPS, "report"])
    parser.add_argument("--family", choices=families(), action="append", help="default: all")
    parser.add_argument("--seeds", type=int, nargs="+", help="default: all of the family")
    parser.add_argument("--faults", nargs="+", help="default: all of the family")
    parser.add_argument("--workers", type=int, default=2, help="of `prepare` (default 2)")
    options = parser.parse_args()

    for name, family in families().items():
        if options.family and name not in options.family:
            continue
        seeds = options.seeds or family.seeds
        faults = options.faults or family.faults

        if options.step == "prepare":
            prepare_family(family, options.workers)
        elif options.step == "report":
            report(name, faults, options.seeds or family.judged)
        else:
            models = [(fault, seed) for seed in seeds for fault in faults]
            for fault, seed in tqdm(models, f"{options.step} {name}", unit="model"):
                STEPS[options.step](family, fault, seed)


if __name__ == "__main__":
    main()
