"""Pool of reader processes: a file that crashes its decoder costs one process, not the service.

Fuzzing showed why: 86 of 147 truncated JPEG-LS images keep CharLS busy for ten seconds,
and OpenJPEG takes five gigabytes for a JPEG 2000 image of one megabyte. A thread can be neither
stopped nor bounded. Each process has a bound on its memory and each file a bound on its time. A
file that exceeds one is refused.
"""

import multiprocessing
import os
import pickle
import queue

from service.errors import ImageError, Undecodable
from service.imaging import Limits, Reading
from service.records import FitParameters
from service.runtime.shared_file import SharedFile
from service.runtime.worker import READY, memory_bytes, run_worker

_START_SECONDS = 60.0


class ReaderLost(RuntimeError):
    """A reader process ended because of a bug."""


class ReaderPool:
    """A `Read` that gives each file to an idle reader process.

    Safe to call from several threads.
    """

    def __init__(self, processes: int, limits: Limits) -> None:
        # Last in, first out: the process whose memory is still warm is used first.
        self._idle: queue.LifoQueue[_ReaderProcess] = queue.LifoQueue()
        self._processes = [_ReaderProcess(limits) for _ in range(processes)]
        for process in self._processes:
            self._idle.put(process)

    def __call__(self, data: bytes, parameters: FitParameters, picture_edge: float = 0) -> Reading:
        """Read and fit the file; see `Read`.

        Raises:
            ImageError: the file is not a readable mammogram. Undecodable: a bound was exceeded.
            ReaderLost: the process failed.
        """
        process = self._idle.get()
        try:
            return process.read(data, parameters, picture_edge)
        finally:
            self._idle.put(process)

    def wait_until_ready(self) -> None:
        """Wait until every process has started. Call it before the first file is read.

        Raises:
            ReaderLost: a process did not start.
        """
        for process in self._processes:
            try:
                process.wait_until_ready()
            except (EOFError, ConnectionError) as error:
                raise ReaderLost("a reader process did not start") from error

    @property
    def pids(self) -> list[int]:
        """Process IDs, for monitoring."""
        return [process.pid for process in self._processes]

    @property
    def peak_memory_bytes(self) -> int:
        """Largest resident memory that any of the processes has had (Linux)."""
        return max(memory_bytes(pid, "VmHWM") for pid in self.pids)

    def close(self) -> None:
        """End the processes."""
        for process in self._processes:
            process.stop()


class _ReaderProcess:
    """One reader process. It is replaced when it is lost."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._start()

    def _start(self) -> None:
        # Spawned: a fork of a process that has loaded TensorFlow may hang.
        spawn = multiprocessing.get_context("spawn")
        self._connection, child_connection = spawn.Pipe()
        self._file = SharedFile(os.memfd_create("mammolens"))
        self._ready = False

        self._process = spawn.Process(
            target=run_worker,
            args=(child_connection, self._file, self._limits),
            name="mammolens-reader",
            daemon=True,
        )
        self._process.start()
        child_connection.close()

    @property
    def pid(self) -> int:
        """Process ID; it changes when the process is replaced."""
        return self._process.pid or 0

    def read(self, data: bytes, parameters: FitParameters, picture_edge: float) -> Reading:
        """Send the file to the process and return its reading, or raise its error."""
        try:
            self.wait_until_ready()

            # Request: the file through shared memory, its length and options through the pipe.
            self._file.write(data)
            self._connection.send((len(data), parameters, picture_edge))
            if not self._connection.poll(self._limits.max_seconds):
                self._restart()
                seconds = self._limits.max_seconds
                raise Undecodable(f"Decoding the file took longer than {seconds:g} seconds.")

            # Answer: pickled, the same way back.
            length = self._connection.recv()
            pickled = self._file.read(length)
            answer: Reading | ImageError = pickle.loads(pickled)  # noqa: S301 - our own process
            self._file.shrink()
        except (EOFError, ConnectionError) as error:
            raise self._replace_dead_process() from error

        if isinstance(answer, ImageError):
            raise answer
        return answer

    def wait_until_ready(self) -> None:
        """Wait until the process has started.

        Raises:
            EOFError, ConnectionError: it did not start.
        """
        # A process that has died while idle is not the fault of the next file.
        if not self._process.is_alive():
            self._restart()

        if not self._ready:
            if not self._connection.poll(_START_SECONDS):
                raise EOFError
            self._ready = self._connection.recv() == READY

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()
        self._connection.close()
        self._file.close()

    def _restart(self) -> None:
        self.stop()
        self._start()

    def _replace_dead_process(self) -> Exception:
        """Start another process and return the error to raise for the present file."""
        self._process.join(1)
        code = self._process.exitcode
        self._restart()

        # Negative: ended by a signal, as a native decoder crashed or the system ran out of memory.
        if code is not None and code < 0:
            return Undecodable("Decoding the file crashed the decoder.")
        return ReaderLost(f"the reader process ended with exit code {code}")
