"""Event file of TensorBoard: figures and pictures of epochs, written without TensorFlow.

TensorFlow's own writer would load all of TensorFlow, also where Keras runs on another backend.
"""

import os
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.image import metadata as image
from tensorboard.plugins.scalar import metadata as scalar
from tensorboard.summary.writer.record_writer import RecordWriter
from tensorboard.util.tensor_util import make_tensor_proto

from training.watching.sheet import RGB

_VERSION = "brain.Event:2"


class EventFile:
    """File of events in a directory, which is created by the first of them.

    Each process writes a file of its own, and TensorBoard reads all of them. The file is closed
    after each event, so a killed process loses none.
    """

    def __init__(self, directory: Path) -> None:
        name = f"events.out.tfevents.{time.time_ns()}.{socket.gethostname()}.{os.getpid()}"
        self._path = directory / name

    def add_scalars(self, epoch: int, scalars: Mapping[str, float]) -> None:
        """Add the figures of an epoch by name.

        Raises:
            OSError: the disk is full.
        """
        metadata = scalar.create_summary_metadata(None, None)
        values = [
            Summary.Value(tag=tag, tensor=make_tensor_proto(np.float32(value)), metadata=metadata)
            for tag, value in scalars.items()
        ]
        self._write(epoch, values)

    def add_picture(self, epoch: int, name: str, picture: RGB, content: bytes) -> None:
        """Add a picture of an epoch. `content`: its PNG file.

        Raises:
            OSError: the disk is full.
        """
        height, width, _ = picture.shape
        tensor = make_tensor_proto([str(width).encode(), str(height).encode(), content])
        metadata = image.create_summary_metadata(None, None)
        self._write(epoch, [Summary.Value(tag=name, tensor=tensor, metadata=metadata)])

    def _write(self, epoch: int, values: Sequence[Summary.Value]) -> None:
        now = time.time()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not self._path.exists()

        with self._path.open("ab") as file:
            writer = RecordWriter(file)
            if is_new:
                writer.write(Event(wall_time=now, file_version=_VERSION).SerializeToString())
            event = Event(wall_time=now, step=epoch, summary=Summary(value=values))
            writer.write(event.SerializeToString())
