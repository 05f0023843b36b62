"""Bound on the bytes of request bodies in memory, in all and for each caller.

Bytes count once they have arrived. A declared length reserves nothing, so a slow sender takes no
room from others. Objects for archives are larger than the files that they are made of. They count,
too, until they are sent.
"""

import threading
from collections import Counter

from service.errors import Busy, ObjectsTooLarge

CONNECTION_BYTES = 64 * 1024
"""Bytes that each body counts at least: the buffers of its connection."""
_RETRY_SECONDS = 2


class BodyMemory:
    """Bodies that are being received, wait for a slot, or are being worked on.

    `max_bytes`: of all bodies. `max_bytes_each`: of one body, that of an exam. A caller may hold
    half of all, and one body in any case.
    """

    def __init__(self, max_bytes: int, max_bytes_each: int) -> None:
        self._max_bytes = max_bytes
        self._max_bytes_per_caller = max(max_bytes // 2, max_bytes_each)
        self._held_by_caller: Counter[str] = Counter()
        self._lock = threading.Lock()
        self.held_bytes = 0

    @property
    def max_bytes_per_caller(self) -> int:
        """Most bytes that a caller may hold."""
        return self._max_bytes_per_caller

    def hold(self, caller: str) -> "HeldBody":
        """Return an empty body of this caller. It is held until its `release`.

        Raises:
            Busy: there is no room.
        """
        body = HeldBody(self, caller)
        body.grow(CONNECTION_BYTES)
        return body

    def require_room(self, caller: str, size: int) -> None:
        """Reject a request for which `size` further bytes would be too many.

        Raises:
            Busy: there is no room.
        """
        if self.held_bytes + size > self._max_bytes:
            message = "The bodies of other requests take the memory for bodies."
        elif self._held_by_caller[caller] + size > self._max_bytes_per_caller:
            message = "The bodies of the caller's other requests take its share of the memory."
        else:
            return
        raise Busy(message, _RETRY_SECONDS, "memory")

    def change(self, caller: str, size: int) -> None:
        """Count `size` bytes more of this caller, or fewer if it is negative.

        Raises:
            Busy: there is no room for more.
        """
        with self._lock:
            if size > 0:
                self.require_room(caller, size)
            self.held_bytes += size
            self._held_by_caller[caller] += size
            if not self._held_by_caller[caller]:
                del self._held_by_caller[caller]


class HeldBody:
    """Bytes of one body that count against the bound."""

    def __init__(self, memory: BodyMemory, caller: str) -> None:
        self._memory = memory
        self._caller = caller
        self._size = 0

    def require_room(self, size: int) -> None:
        """Reject the request if a body of `size` bytes would not fit beside what is held now.

        Raises:
            Busy: there is no room.
        """
        self._memory.require_room(self._caller, size - self._size)

    def grow(self, size: int) -> None:
        """Count the body with the `size` bytes that it has now, if it has grown.

        Raises:
            Busy: there is no room.
        """
        if size > self._size:
            self._memory.change(self._caller, size - self._size)
            self._size = size

    def release(self) -> None:
        """Count the body no longer. A second call has no effect."""
        self._memory.change(self._caller, -self._size)
        self._size = 0


class HeldAnswer:
    """Parts of an answer that count against the bound until they are sent. Safe in any thread.

    `upload_bytes`: of the request, which are held as well.
    """

    def __init__(self, memory: BodyMemory, caller: str, upload_bytes: int) -> None:
        self._held = HeldBody(memory, caller)
        self._max_bytes = memory.max_bytes_per_caller - upload_bytes
        self._counted = 0
        self._lock = threading.Lock()
        self.parts: list[bytes] = []

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(map(len, self.parts))

    def add(self, part: bytes) -> None:
        """Keep another part.

        Raises:
            ObjectsTooLarge: the parts would be too large, even with all room for this caller.
            Busy: other requests take the room.
        """
        self.count(len(part))
        self.keep(part)

    def keep(self, part: bytes) -> None:
        """Keep a part whose bytes are counted already."""
        self.parts.append(part)

    def count(self, size: int) -> None:
        """Count a part of `size` bytes that is kept elsewhere until `keep` has it.

        Raises:
            ObjectsTooLarge, Busy: as for `add`.
        """
        with self._lock:
            counted = self._counted + size
            if counted > self._max_bytes:
                raise ObjectsTooLarge(self._max_bytes)
            self._held.grow(counted)
            self._counted = counted

    def release(self) -> None:
        """Forget the parts and count them no longer."""
        with self._lock:
            self.parts.clear()
            self._held.release()
            self._counted = 0
