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
    """Send the stream and return its answers in the order in which the requests were due."""
    record = generate(port, {"all": stream})
    return sorted(record.answers["all"], key=lambda answer: answer.due)


@contextmanager
def serving(answer: Callable[[int], bytes | None]) -> Iterator[int]:
    """Run a server and yield its port.

    `answer` receives the number of the request and returns the bytes of the answer, or None to
    close the connection without one.
    """
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
                    with suppress(ConnectionError):  # the client may have disconnected
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


def test_stall_delays_every_request_due_in_it() -> None:
    stalled = threading.Lock()

    def answer(number: int) -> bytes:
        with stalled:  # one request at a time, like a single worker
            if number == 5:
                # uvloop counts in whole milliseconds, so the request may be sent one too early.
                time.sleep(0.402)
        return OK

    stream = Stream(REQUEST, uniform(50, 1))
    with serving(answer) as port:
        received = answers(port, stream)

    slow = [answer for answer in received if answer.seconds > 0.04]
    assert len(received) == 50
    assert 15 <= len(slow) <= 22  # 0.4 s at 50 a second, not only the stalled request
    assert max(answer.seconds for answer in slow) >= 0.4


def test_open_stream_sends_despite_unanswered_requests() -> None:
    release = threading.Event()
    stream = Stream(REQUEST, uniform(100, 0.3), patience=0.5)

    with serving(lambda _: OK if release.wait(5) else None) as port:
        received = answers(port, stream)
        release.set()

    assert [answer.status for answer in received] == [LEFT] * 30
    assert all(0.49 <= answer.seconds < 0.7 for answer in received)


def test_client_out_of_patience_closes_its_connection() -> None:
    closed = threading.Event()

    def wait_for_close(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            while connection.recv(2**16):
                pass
        closed.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=wait_for_close, args=(listener,), daemon=True).start()
        stream = Stream(REQUEST, [0.0], patience=0.05)
        received = answers(listener.getsockname()[1], stream)
        assert closed.wait(5)

    assert received[0].status == LEFT


def test_refusals_and_lost_connections_have_own_statuses() -> None:
    replies = {0: OK, 1: BUSY, 2: None}
    stream = Stream(REQUEST, uniform(10, 0.3))

    with serving(lambda number: replies[number]) as port:
        received = answers(port, stream)

    # On a busy machine, requests may arrive in another order.
    assert sorted(answer.status for answer in received) == sorted([200, 429, LOST])


def test_answer_before_whole_body_ends_the_connection() -> None:
    """The early answer counts, and the next request uses a new connection."""
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
        received = answers(listener.getsockname()[1], stream)

    assert [answer.status for answer in received] == [429, 429]


def test_closed_loop_keeps_one_request_per_client() -> None:
    busy = 0
    peak = 0
    lock = threading.Lock()

    def answer(_: int) -> bytes:
        nonlocal busy, peak
        with lock:
            busy += 1
            peak = max(peak, busy)

        time.sleep(0.01)
        with lock:
            busy -= 1
        return OK

    stream = Stream(REQUEST, clients=3, seconds=0.3)
    with serving(answer) as port:
        received = answers(port, stream)

    assert peak == 3
    assert len(received) > 20


def test_arrivals_match_the_rate_and_the_seed() -> None:
    times = poisson(100, 50, seed=1)

    assert times == poisson(100, 50, seed=1) != poisson(100, 50, seed=2)
    assert times == sorted(times)
    assert 4_800 < len(times) < 5_200
    assert uniform(4, 1) == [0, 0.25, 0.5, 0.75]
