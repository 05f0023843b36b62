import errno
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray

from tests.support.paths import ROOT
from training.watching.event_file import EventFile
from training.watching.sheet import png_bytes


def read(directory: Path) -> EventAccumulator:
    events = EventAccumulator(str(directory), size_guidance={"tensors": 0})
    events.Reload()
    return events


def test_tensorboard_reads_figures_and_pictures(tmp_path: Path) -> None:
    picture = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    events = EventFile(tmp_path / "logs")
    events.add_scalars(1, {"train_loss": 0.75, "seconds": 2.0})
    events.add_picture(1, "examples", picture, png_bytes(picture))
    events.add_scalars(2, {"train_loss": 0.25, "seconds": 3.0})

    read_back = read(tmp_path / "logs")
    losses = read_back.Tensors("train_loss")
    (drawn,) = read_back.Tensors("examples")
    width, height, content = make_ndarray(drawn.tensor_proto)

    assert set(read_back.Tags()["tensors"]) == {"train_loss", "seconds", "examples"}
    assert [event.step for event in losses] == [1, 2]
    assert [float(make_ndarray(event.tensor_proto)) for event in losses] == [0.75, 0.25]
    assert (int(width), int(height)) == (6, 4)
    decoded = np.asarray(Image.open(BytesIO(content)))
    assert np.array_equal(decoded, picture)


def test_second_process_adds_to_the_figures(tmp_path: Path) -> None:
    EventFile(tmp_path).add_scalars(1, {"train_loss": 0.75})
    EventFile(tmp_path).add_scalars(2, {"train_loss": 0.5})

    assert [event.step for event in read(tmp_path).Tensors("train_loss")] == [1, 2]


def test_full_disk_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "logs").mkdir()
    full = Path("/dev/full").open
    monkeypatch.setattr(Path, "open", lambda _, mode: full(mode))

    with pytest.raises(OSError, match="No space left") as raised:
        EventFile(tmp_path / "logs").add_scalars(1, {"train_loss": 0.75})

    assert raised.value.errno == errno.ENOSPC


def test_writing_events_loads_no_tensorflow(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from training.watching.event_file import EventFile\n"
        f"EventFile(Path({str(tmp_path)!r})).add_scalars(1, {{'loss': 0.5}})\n"
        "print('tensorflow' in sys.modules)\n"
    )

    finished = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert finished.stdout == "False\n"
