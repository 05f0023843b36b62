"""Observers of a training: figures of each epoch, and pictures of what its network looks at."""

import csv
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import keras
import numpy as np

from training.config import Experiment
from training.errors import ExportError, NotExplainable
from training.fit.observing import EpochState
from training.fit.run import write_text
from training.watching.epoch_sheet import draw_epoch
from training.watching.event_file import EventFile
from training.watching.example_heat import HeatOfExamples, summarise
from training.watching.sheet import png_bytes, write_png
from training.watching.watched_examples import Example


class ScalarLog:
    """Log of the figures of each epoch for TensorBoard."""

    def __init__(self, events: EventFile) -> None:
        self._events = events

    def __call__(self, state: EpochState) -> None:
        """Write the figures of an epoch, and the norm of the weights that are trained."""
        scalars = {**state.figures, "weight_norm": weight_norm(state.network)}
        self._events.add_scalars(state.number, scalars)


class EpochPictures:
    """Pictures of the heat of the examples, for TensorBoard and as `epoch-001.png` in a folder.

    `examples`: at least one.
    """

    def __init__(
        self,
        folder: Path,
        events: EventFile,
        experiment: Experiment,
        examples: Sequence[Example],
    ) -> None:
        self._folder = folder
        self._events = events
        self._examples = examples
        self._heat = HeatOfExamples(experiment, examples)
        self._is_explainable = True

    def __call__(self, state: EpochState) -> None:
        """Draw the examples of an epoch, and write their figures.

        A network whose heat cannot be drawn is told once, and trained on without pictures.
        """
        if not self._is_explainable:
            return

        try:
            heats = self._heat(state.network)
        except (NotExplainable, ExportError) as error:
            self._is_explainable = False
            print(f"no heatmaps of the epochs: {error}", flush=True)
            return

        self._write_examples()
        figures = summarise(heats)
        sheet = draw_epoch(state.number, heats, {**_validation(state), **figures})
        self._events.add_scalars(
            state.number, {f"examples/{name}": value for name, value in figures.items()}
        )
        content = png_bytes(sheet)
        self._events.add_picture(state.number, "examples", sheet, content)
        write_png(self._folder / f"epoch-{state.number:03d}.png", content)

    def _write_examples(self) -> None:
        """Write which images the examples are. The pictures name no patient."""
        path = self._folder / "examples.csv"
        if path.exists():
            return

        text = StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("number", "patient_id", "image_id"))
        writer.writerows((one.number, *one.record.key) for one in self._examples)
        self._folder.mkdir(exist_ok=True)
        write_text(path, text.getvalue())


def weight_norm(network: keras.Model) -> float:
    """Return the Euclidean norm of all weights that are trained."""
    arrays = [keras.ops.convert_to_numpy(weight) for weight in network.trainable_weights]
    return float(np.sqrt(sum(np.sum(np.square(array, dtype=np.float64)) for array in arrays)))


def _validation(state: EpochState) -> dict[str, float]:
    return {name: value for name, value in state.figures.items() if name.startswith("validation")}
