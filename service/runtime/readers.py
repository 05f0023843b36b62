"""Pool of reader processes: a file that crashes its decoder costs one process, not the service.

Fuzzing showed why: 86 of 147 truncated JPEG-LS images keep CharLS busy for ten seconds,
and OpenJPEG takes five gigabytes for a JPEG 2000 image of one megabyte. A thread can be neither
stopped nor bounded. Each process has a bound on its memory and each file a bound on its time. A
file that exceeds one is refused.

A process may also be ended from outside: by the kernel, when the container is out of memory, or by
an operator. That is not the fault of the file, which `service.runtime.batching` reads once more.
A decoder that crashes ends its process with other signals. Its file is not read again, or each such
file would cost two processes.
"""

import logging
import multiprocessing
import os
import queue
import signal
from collections.abc import Callable
from typing import TypeVar

from service.errors import ImageError, ReaderKilled, Undecodable
from service.imaging import FileTask, Limits, Reading, ReadTask
from service.records import FitParameters
from service.runtime.shared_file import FileBytes, SharedFile
from service.runtime.worker import READY, memory_bytes, run_worker

T = TypeVar("T")
OnLoss = Callable[[str], None]

_log = logging.getLogger("mammolens")
_START_SECONDS = 60.0
_FROM_OUTSIDE = {signal.SIGKILL, signal.SIGTERM}  # a decoder raises neither


class ReaderLost(RuntimeError):
    """A reader process ended because of a bug."""


class ReaderPool:
    """A `Read` that gives each file to an idle reader process.

    Safe to call from several threads. `on_loss` receives the reason of each process that is lost:
    `signal`, `timeout` or `fault`.
    """

    def __init__(self, processes: int, limits: Limits, on_loss: OnLoss = lambda _: None) -> None:
        # Last in, first out: the process whose memory is still warm is used first.
        self._idle: queue.LifoQueue[_ReaderProcess] = queue.LifoQueue()
        self._processes = [_ReaderProcess(limits, on_loss) for _ in range(processes)]
        for process in self._processes:
            self._idle.put(process)

    def __call__(self, data: bytes, parameters: FitParameters, picture_edge: float = 0) -> Reading:
        """Read and fit the file; see `Read`, and `run` for further errors."""
        return self.run(ReadTask(parameters, picture_edge), data)

    def run(self, task: FileTask[T], data: FileBytes) -> T:
        """Run the task on the file in an idle process.

        Raises:
            ImageError: the file cannot be used. Undecodable: a bound was exceeded.
            ReaderKilled: the process was ended from outside.
            ReaderLost: the process failed.
        """
        process = self._idle.get()
        try:
            return process.run(task, data)
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

    def __init__(self, limits: Limits, on_loss: OnLoss) -> None:
        self._limits = limits
        self._on_loss = on_loss
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

    def run(self, task: FileTask[T], data: FileBytes) -> T:
        """Send task and file to the process and return the result, or raise its error."""
        try:
            self.wait_until_ready()

            # Request: the file through shared memory, its length and the task through the pipe.
            self._file.write(data)
            self._connection.send((len(data), task))
            if not self._connection.poll(self._limits.max_seconds):
                seconds = self._limits.max_seconds
                self._report("timeout", f"took longer than {seconds:g} seconds for a file")
                self._restart()
                raise Undecodable(f"Decoding the file took longer than {seconds:g} seconds.")

            # Answer: pickled, the same way back.
            length = self._connection.recv()
            answer: T | ImageError = self._file.unpickle(length)
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
            self._report_exit()
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
        self._report_exit()
        self._restart()

        if code is None or code >= 0:
            return ReaderLost(f"the reader process ended with exit code {code}")
        if -code in _FROM_OUTSIDE:
            return ReaderKilled("The process that decoded the file was ended from outside.")
        return Undecodable("Decoding the file crashed the decoder.")

    def _report_exit(self) -> None:
        code = self._process.exitcode
        if code is not None and code < 0:
            self._report("signal", f"was ended by {signal.Signals(-code).name}")
        else:
            self._report("fault", f"ended with exit code {code}")

    def _report(self, reason: str, event: str) -> None:
        """Log and count the loss of the process. Nothing of its file is logged."""
        _log.warning("reader process %d %s; another one takes its place", self.pid, event)
        self._on_loss(reason)
