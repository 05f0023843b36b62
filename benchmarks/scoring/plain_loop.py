"""Predict every image of a folder by a plain loop, the way that a script would.

    python -m benchmarks.scoring.plain_loop MODEL FOLDER

Files are read and predicted in as many threads as there are cores, in this process. A file that
crashes its decoder ends it, and nothing is written until the end.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from service import imaging, pipeline
from service.errors import ImageError
from service.host.cores import usable_cores
from service.model import Bundle, newest_version
from service.observability.stopwatch import Stopwatch


def main() -> None:
    """Print the number of images and the sum of their probabilities."""
    model_path, folder = map(Path, sys.argv[1:])
    model = Bundle.load(newest_version(model_path))

    def predict(path: Path) -> float | None:
        try:
            prediction = pipeline.predict(model, imaging.read, path.read_bytes(), Stopwatch())
        except ImageError:
            return None
        return prediction.probabilities[model.manifest.positive_class]

    with ThreadPoolExecutor(usable_cores()) as threads:
        scored = list(threads.map(predict, sorted(folder.rglob("*.dcm"))))

    answered = [probability for probability in scored if probability is not None]
    sys.stdout.write(f"{len(scored)} images, sum of probabilities {sum(answered):.4f}\n")


if __name__ == "__main__":
    main()
