"""Make docs/epochs.png: what a network looks at after its first and after its last epoch.

python -m docs.epochs EXPERIMENT

The images of the experiment must be prepared, and must be phantoms. The picture in the tree is of
the phantoms and the network of docs/tour.ipynb. The run directory is left in build/epochs.
"""

import argparse
from pathlib import Path

from PIL import Image

from training.config_files import load_experiment
from training.fit.run import Run
from training.fit.start import start
from training.fit.train import train
from training.watching.epoch_pictures import EpochPictures
from training.watching.event_file import EventFile
from training.watching.watched_examples import choose_examples

PICTURE = Path(__file__).with_name("epochs.png")
RUN = Path("build", "epochs")
EXAMPLES = 4
SCALE = 0.8


def main() -> None:
    """Train, and join the pictures of two epochs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("experiment", type=Path, help="TOML file of an experiment on phantoms")
    options = parser.parse_args()

    experiment = load_experiment(options.experiment)
    run = Run(RUN)
    parts = start(run, options.experiment)
    examples = choose_examples(parts.validation, EXAMPLES)
    pictures = EpochPictures(run.epochs, EventFile(run.logs), experiment, examples)
    train(run, experiment, parts.train, parts.validation, observers=[pictures])

    drawn = sorted(run.epochs.glob("epoch-*.png"))
    join([Image.open(drawn[0]), Image.open(drawn[-1])]).save(PICTURE, optimize=True)


def join(sheets: list[Image.Image]) -> Image.Image:
    """Return the sheets one below the other, smaller and with few colours."""
    joined = Image.new("RGB", (sheets[0].width, sum(sheet.height for sheet in sheets)))
    top = 0
    for sheet in sheets:
        joined.paste(sheet, (0, top))
        top += sheet.height

    size = round(SCALE * joined.width), round(SCALE * joined.height)
    return joined.resize(size, Image.Resampling.LANCZOS).quantize(method=Image.Quantize.MAXCOVERAGE)


if __name__ == "__main__":
    main()
