"""Reading in processes of their own: a file that ends, hangs or bloats its decoder costs that process and no other.

Fuzzing found that more than half of all JPEG-LS images that are cut off make CharLS count for ten seconds, and a JPEG
2000 image of a megabyte for which OpenJPEG takes five gigabytes; a thread can neither be stopped nor bounded. So each
process has a bound on its memory, each file one on its time, and what exceeds them is refused.
"""

import multiprocessing
import os
import pickle
import queue
import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Any

from service import logs, memory
from service.errors import ImageError, Undecodable
from service.imaging.limits import Limits
from service.imaging.reading import Reading, read
from service.results import FitParameters

_SECONDS_TO_START = 60.0
_READY = "ready"
_KEPT_BYTES = 2**25  # of the shared file; few mammograms are larger


class ReaderLost(RuntimeError):
    """The process that read a file ended by a fault of ours."""


class IsolatedReader:
    """A `Read` that hands each file to one of so many processes; safe to call from as many threads."""

    def __init__(self, processes: int, limits: Limits) -> None:
        self._idle: queue.LifoQueue[_Process] = queue.LifoQueue()  # the one whose memory is still warm first
        self._processes = [_Process(limits) for _ in range(processes)]
        for process in self._processes:
            self._idle.put(process)

    def __call__(self, data: bytes, parameters: FitParameters, picture_edge: float = 0) -> Reading:
        """The file, read and fitted.

        Raises:
            ImageError: it is no mammogram that can be read; Undecodable: trying to exceeded a bound.
            ReaderLost: the process failed.
        """
        process = self._idle.get()
        try:
            return process.read(data, parameters, picture_edge)
        finally:
            self._idle.put(process)

    def wait_until_ready(self) -> None:
        """Waits until every process has started; to be called before any is asked to read.

        Raises:
            ReaderLost: one did not start.
        """
        for process in self._processes:
            try:
                process.wait_until_ready()
            except (EOFError, ConnectionError) as error:
                raise ReaderLost("a reader did not start") from error

    @property
    def pids(self) -> list[int]:
        """The processes, for those who watch them."""
        return [process.pid for process in self._processes]

    @property
    def peak_memory_bytes(self) -> int:
        """The largest resident memory that any of the processes has had (Linux)."""
        return max(_memory(pid, "VmHWM") for pid in self.pids)

    def close(self) -> None:
        """Ends the processes."""
        for process in self._processes:
            process.stop()


class _Process:
    """One process, made anew when it was lost."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._start()

    def _start(self) -> None:
        spawn = multiprocessing.get_context("spawn")  # a fork of a process that has loaded TensorFlow may hang
        self._connection, theirs = spawn.Pipe()
        self._file = _SharedFile(os.memfd_create("mammolens"))
        arguments = (theirs, self._file, self._limits)
        self._process = spawn.Process(target=_serve, args=arguments, name="mammolens-reader", daemon=True)
        self._process.start()
        theirs.close()
        self._ready = False

    @property
    def pid(self) -> int:
        """Which process it is; another one after it was lost."""
        return self._process.pid or 0

    def read(self, data: bytes, parameters: FitParameters, picture_edge: float) -> Reading:
        """The reading that comes back, or the error raised."""
        try:
            self.wait_until_ready()
            self._file.write(data)
            self._connection.send((len(data), parameters, picture_edge))
            if not self._connection.poll(self._limits.max_seconds):
                self._restart()
                raise Undecodable(f"Decoding the file takes longer than {self._limits.max_seconds:g} seconds.")
            answer: Reading | ImageError = pickle.loads(self._file.read(self._connection.recv()))  # noqa: S301 - our own
            self._file.shrink()
        except (EOFError, ConnectionError) as error:
            raise self._mourn() from error
        if isinstance(answer, ImageError):
            raise answer
        return answer

    def wait_until_ready(self) -> None:
        """Waits for the process to have started; raises EOFError or ConnectionError where it does not."""
        if not self._process.is_alive():  # no fault of the next file
            self._restart()
        if not self._ready:
            if not self._connection.poll(_SECONDS_TO_START):
                raise EOFError
            self._ready = self._connection.recv() == _READY

    def stop(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.join()
        self._connection.close()
        self._file.close()

    def _restart(self) -> None:
        self.stop()
        self._start()

    def _mourn(self) -> Exception:
        """What is to be raised over the process' end; another takes its place."""
        self._process.join(1)
        code = self._process.exitcode
        self._restart()
        if code is not None and code < 0:  # by a signal: a native decoder failed, or the system ran out of memory
            return Undecodable("Decoding the file ended its decoder.")
        return ReaderLost(f"the reader ended with exit code {code}")


class _SharedFile:
    """A file in memory alone that another process sees, too: a pipe would take ten times as long over a mammogram."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __reduce__(self) -> tuple[Callable[[Any], "_SharedFile"], tuple[Any]]:
        """How to open it in the process that is being started."""
        return _open_shared_file, (DupFd(self._descriptor),)

    def write(self, data: bytes) -> None:
        """Makes the data its content."""
        os.pwrite(self._descriptor, data, 0)

    def read(self, length: int) -> bytes:
        """Its content."""
        return os.pread(self._descriptor, length, 0)

    def shrink(self) -> None:
        """Gives memory back that few files need; to make room anew for each takes longer than to fill it."""
        if os.fstat(self._descriptor).st_size > _KEPT_BYTES:
            os.ftruncate(self._descriptor, 0)

    def close(self) -> None:
        """Ends it on this side."""
        os.close(self._descriptor)


def _open_shared_file(descriptor: Any) -> _SharedFile:
    return _SharedFile(descriptor.detach())


def _serve(connection: Connection, file: _SharedFile, limits: Limits) -> None:
    """Answers until the other end is gone. What is no ImageError is a fault of ours, and ends the process."""
    _silence_libraries()
    logs.configure()
    memory.keep_freed(2 * _KEPT_BYTES)
    _bound_memory(limits.max_memory_bytes)
    # multiprocessing would print an exception with its message, which may quote a header
    with logs.EndOnFault(), suppress(EOFError, ConnectionError, KeyboardInterrupt):
        connection.send(_READY)
        while True:
            length, parameters, picture_edge = connection.recv()
            answer = pickle.dumps(_answer(file.read(length), parameters, picture_edge, limits))
            file.write(answer)
            connection.send(len(answer))


def _silence_libraries() -> None:
    """Drops what native libraries print, which may quote a file; what Python writes still goes to standard error."""
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)


def _answer(data: bytes, parameters: FitParameters, picture_edge: float, limits: Limits) -> Reading | ImageError:
    try:
        return read(data, parameters, picture_edge, limits)
    except ImageError as error:
        return error
    except MemoryError:
        return Undecodable("Decoding the file needs more memory than is allowed.")


def _bound_memory(more_bytes: int) -> None:
    """Lets the process take so much beyond what it has (Linux)."""
    resource.setrlimit(resource.RLIMIT_DATA, (_memory(os.getpid(), "VmData") + more_bytes,) * 2)


def _memory(pid: int, kind: str) -> int:
    """One of the sizes in bytes that Linux tells of a process: see proc_pid_status(5)."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    (kibibytes,) = (line.split()[1] for line in status.splitlines() if line.startswith(kind))
    return int(kibibytes) * 1024
