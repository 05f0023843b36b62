import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from benchmarks.load.generator import (
    LEFT,
    LOST,
    Answer,
    Stream,
    generate,
    poisson,
    request,
    uniform,
)

REQUEST = request("/", b"body")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
BUSY = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"


def answers(port: int, stream: Stream) -> list[Answer]:
    return sorted(generate(port, {"all": stream}).answers["all"], key=lambda each: each.due)


@contextmanager
def serving(answer: Callable[[int], bytes | None]) -> Iterator[int]:
    """A server's port; `answer` is given the number of the request. None: the connection is closed without one."""
    numbers = iter(range(10_000))
    threads: list[threading.Thread] = []

    def start(work: Callable[..., None], *arguments: object) -> None:
        threads.append(threading.Thread(target=work, args=arguments))
        threads[-1].start()

    def serve(connection: socket.socket) -> None:
        with connection:
            while received := connection.recv(2**20):
                for _ in range(received.count(b"POST ")):
                    reply = answer(next(numbers))
                    if reply is None:
                        return
                    with suppress(ConnectionError):  # its client may have left
                        connection.sendall(reply)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            start(serve, connection)

    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        start(accept)
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(5)


def test_a_stall_shows_in_every_request_due_in_it() -> None:
    stalled = threading.Lock()

    def answer(number: int) -> bytes:
        with stalled:  # one at a time, as by one worker
            if number == 5:
                time.sleep(0.4)
        return OK

    stream = Stream(REQUEST, uniform(50, 1))
    with serving(answer) as port:
        found = answers(port, stream)

    slow = [each for each in found if each.seconds > 0.04]
    assert len(found) == 50
    assert 15 <= len(slow) <= 22  # 0.4 s at 50 a second, not the one request that met it
    assert max(each.seconds for each in slow) >= 0.4


def test_requests_leave_when_they_are_due_whatever_became_of_those_before() -> None:
    held = threading.Event()
    stream = Stream(REQUEST, uniform(100, 0.3), patience=0.5)
    with serving(lambda _: OK if held.wait(5) else None) as port:
        found = answers(port, stream)
        held.set()

    assert [each.status for each in found] == [LEFT] * 30
    assert all(0.49 <= each.seconds < 0.7 for each in found)


def test_a_client_that_leaves_closes_its_connection() -> None:
    closed = threading.Event()

    def timer(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            while connection.recv(2**16):
                pass
        closed.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=timer, args=(listener,), daemon=True).start()
        stream = Stream(REQUEST, [0.0], patience=0.05)
        found = answers(listener.getsockname()[1], stream)
        assert closed.wait(5)

    assert found[0].status == LEFT


def test_refusals_and_lost_connections_are_told_from_answers() -> None:
    replies = {0: OK, 1: BUSY, 2: None}
    stream = Stream(REQUEST, uniform(10, 0.3))
    with serving(lambda number: replies[number]) as port:
        found = answers(port, stream)

    assert [each.status for each in found] == [200, 429, LOST]


def test_an_answer_before_the_body_is_sent_counts_and_ends_the_connection() -> None:
    big = REQUEST.replace(b"Content-Length: 4", b"Content-Length: 50000000") + bytes(50_000_000)

    def refuse(listener: socket.socket) -> None:
        for _ in range(2):
            connection, _ = listener.accept()
            with connection:
                connection.recv(100)
                connection.sendall(BUSY)
                while connection.recv(2**20):
                    pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=refuse, args=(listener,), daemon=True).start()
        stream = Stream(big, [0.0, 0.1], patience=5)
        found = answers(listener.getsockname()[1], stream)

    assert [each.status for each in found] == [429, 429]


def test_each_client_of_a_closed_loop_has_one_request_under_way() -> None:
    busy, most = 0, 0
    lock = threading.Lock()

    def answer(_: int) -> bytes:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        time.sleep(0.01)
        with lock:
            busy -= 1
        return OK

    stream = Stream(REQUEST, clients=3, seconds=0.3)
    with serving(answer) as port:
        found = answers(port, stream)

    assert most == 3
    assert len(found) > 20


def test_arrivals_are_as_many_as_asked_and_the_same_for_the_same_seed() -> None:
    times = poisson(100, 50, seed=1)

    assert times == poisson(100, 50, seed=1) != poisson(100, 50, seed=2)
    assert times == sorted(times)
    assert 4_800 < len(times) < 5_200
    assert uniform(4, 1) == [0, 0.25, 0.5, 0.75]
