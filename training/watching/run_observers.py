"""Observers of a run, from its experiment and its images."""

from training.config import Experiment
from training.data.cache import Part
from training.fit.observing import Observer
from training.fit.run import Run
from training.watching.augmentation_sheets import draw_batch, draw_variations
from training.watching.epoch_pictures import EpochPictures, ScalarLog
from training.watching.event_file import EventFile
from training.watching.sheet import png_bytes, write_png
from training.watching.watched_examples import choose_examples

EXAMPLES = 12
"""Max. number of validation images that are watched."""


def watch(
    run: Run, experiment: Experiment, train_part: Part, validation_part: Part, *, pictures: bool
) -> list[Observer]:
    """Return the observers of a run, and draw its augmented images if it begins.

    They write to `run.logs` and, unless `pictures` is false, to `run.epochs`.

    Raises:
        CacheError: an image cannot be read.
        TableError: the lesion mask of an example cannot be read.
    """
    events = EventFile(run.logs)
    scalars = ScalarLog(events)
    if not pictures:
        return [scalars]

    _write_augmented(run, events, experiment, train_part)
    examples = choose_examples(validation_part, EXAMPLES)
    return [scalars, EpochPictures(run.epochs, events, experiment, examples)]


def _write_augmented(run: Run, events: EventFile, experiment: Experiment, part: Part) -> None:
    """Write the sheets of augmented images, unless an earlier process of the run has done so."""
    for name, draw in (("variations", draw_variations), ("batch", draw_batch)):
        path = run.epochs / f"{name}.png"
        if not path.exists():
            sheet = draw(part, experiment)
            content = png_bytes(sheet)
            events.add_picture(0, f"augmented/{name}", sheet, content)
            write_png(path, content)
