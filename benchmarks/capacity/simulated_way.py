"""Way of a request through a simulated instance, with the steps of `service.runtime.engine`."""

from functools import partial

from benchmarks.capacity.simulated_cores import Callback
from benchmarks.capacity.simulated_instance import SimulatedInstance
from benchmarks.capacity.simulated_lane import QueuedRequest
from benchmarks.capacity.simulated_request import Arrival, ImageWork, Outcome, Status
from benchmarks.capacity.simulated_scheduler import SimulatedWork
from service.errors import Busy
from service.runtime.body_memory import HeldBody

_CALLER = "archive"  # all requests are those of one caller
_REFUSAL_SECONDS = 0.0006  # of a core, `python -m benchmarks.refusal`


class SimulatedWay:
    """A request on its way. It reports one outcome to the instance."""

    def __init__(self, instance: SimulatedInstance, arrival: Arrival) -> None:
        self._instance = instance
        self._arrival = arrival
        self._work = arrival.work
        self._lane = instance.lanes[arrival.work.lane]
        self._end = arrival.time + arrival.deadline

        self._body: HeldBody | None = None
        self._entered = 0.0
        self._started = 0.0
        self._waited: float | None = None
        self._images_left = len(arrival.work.images)
        self._has_worked = True
        self._is_answered = False

    def arrive(self) -> None:
        """Pass the first check and hold room for the body, or be refused."""
        self._instance.open()
        try:
            self._lane.check(self._arrival.deadline, 1)
            self._body = self._instance.bodies.hold(_CALLER)
            self._body.grow(self._work.body_bytes)
        except Busy:
            # The body is received all the same, and dropped.
            self._refuse()
            self._instance.transfer(self._work.transfer, _do_nothing)
        else:
            self._instance.transfer(self._work.transfer, self._enter_queue)

    def _enter_queue(self) -> None:
        images = len(self._work.images)
        try:
            self._lane.check(self._end - self._now, images)
        except Busy:
            self._refuse()
        else:
            self._entered = self._now
            self._lane.enter(QueuedRequest(images, self._end, self._take_slot, self._miss))

    def _take_slot(self) -> None:
        # The answer is 504 at the deadline, even if the work goes on for a while.
        self._started = self._now
        self._waited = self._started - self._entered
        self._instance.clock.at(self._end, partial(self._answer, Status.LATE))

        if len(self._work.images) == 1:
            self._read(self._work.images[0], _do_nothing)
            return
        for image in self._work.images:
            self._instance.image_threads.run(partial(self._read, image))

    def _read(self, image: ImageWork, end: Callback) -> None:
        """Read the image. `end` frees the thread in which it is worked on."""
        dropped = partial(self._end_image, end, is_done=False)
        done = partial(self._run_model, image, end)
        self._instance.readers.run(self._scheduled(image.read, done, dropped))

    def _run_model(self, image: ImageWork, end: Callback) -> None:
        dropped = partial(self._end_image, end, is_done=False)
        done = partial(self._finish, image, end)
        self._instance.model.run(self._scheduled(image.model, done, dropped))

    def _finish(self, image: ImageWork, end: Callback) -> None:
        if self._is_wanted():
            self._instance.cores.start(image.after, partial(self._end_image, end, is_done=True))
        else:
            self._end_image(end, is_done=False)

    def _end_image(self, end: Callback, *, is_done: bool) -> None:
        self._has_worked &= is_done
        self._images_left -= 1
        end()
        if self._images_left:
            return

        self._lane.release(len(self._work.images), self._started, has_worked=self._has_worked)
        self._release_body()
        self._answer(Status.ANSWERED)

    def _scheduled(self, seconds: float, done: Callback, dropped: Callback) -> SimulatedWork:
        return SimulatedWork(self._work.lane, seconds, self._is_wanted, done, dropped)

    @property
    def _now(self) -> float:
        return self._instance.clock.now

    def _is_wanted(self) -> bool:
        return self._now <= self._end

    def _refuse(self) -> None:
        self._release_body()
        self._instance.transfer(_REFUSAL_SECONDS, partial(self._answer, Status.REFUSED))

    def _miss(self) -> None:
        self._release_body()
        self._answer(Status.LATE)

    def _release_body(self) -> None:
        if self._body is not None:
            self._body.release()

    def _answer(self, status: Status) -> None:
        if not self._is_answered:
            self._is_answered = True
            seconds = self._now - self._arrival.time
            self._instance.answer(Outcome(self._arrival, status, seconds, self._waited))


def _do_nothing() -> None:
    pass
