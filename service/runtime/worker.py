"""The loop of a reader process: one task after the other, within a bound on memory."""

import os
import pickle
import resource
import signal
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

from service.errors import ImageError, Undecodable
from service.host import memory
from service.imaging import FileTask, Limits
from service.observability import logs
from service.runtime.shared_file import SharedFile

READY = "ready"
"""First message of a worker, sent once it can read files."""

T = TypeVar("T")


def run_worker(connection: Connection, file: SharedFile, limits: Limits) -> None:
    """Worker loop. Exits when the parent closes the pipe.

    Any exception other than `ImageError` is a bug and terminates the worker.
    """
    # Ctrl-C reaches the whole group of processes, but the parent still answers what it admitted.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _silence_libraries()
    logs.configure()
    memory.yield_to_oom_killer()
    memory.keep_freed()
    _limit_memory(limits.max_memory_bytes)

    # multiprocessing would print an exception with its message, which may quote a header.
    with logs.EndOnFault(), suppress(EOFError, ConnectionError):
        connection.send(READY)
        while True:
            length, task = connection.recv()
            answer = pickle.dumps(_run(task, file.read(length), limits))
            file.write(answer)
            connection.send(len(answer))


def memory_bytes(pid: int, field: str) -> int:
    """Return one of the sizes, in bytes, of a process: see proc_pid_status(5)."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    (kibibytes,) = (line.split()[1] for line in status.splitlines() if line.startswith(field))
    return int(kibibytes) * 1024


def _silence_libraries() -> None:
    """Discard the output of native libraries, which may quote a file.

    Python still writes to standard error.
    """
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)


def _limit_memory(extra_bytes: int) -> None:
    """Bound the memory of this process to its present size plus `extra_bytes` (Linux)."""
    limit = memory_bytes(os.getpid(), "VmData") + extra_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _run(task: FileTask[T], data: bytes, limits: Limits) -> T | ImageError:
    try:
        return task(data, limits)
    except ImageError as error:
        return error
    except MemoryError:
        return Undecodable("Decoding the file needs more memory than is allowed.")
