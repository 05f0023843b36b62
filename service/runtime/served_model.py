"""The model that is served, and its exchange for a newer version while requests go on."""

import asyncio
import contextvars
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from service import pipeline
from service.errors import BundleError
from service.host import memory
from service.model import Model, Stamp, stamp
from service.runtime.batch_limit import BatchLimit, batch_costs
from service.runtime.pass_time import PassTime
from service.runtime.watch import ModelWatch
from service.settings import Settings

_log = logging.getLogger("mammolens")


class ServedModel:
    """The newest version of a model.

    `model`: None until the first version is loaded. `pass_time`: of its passes. `batch_limit`: of
    its batches. `is_loading`: whether a version is being loaded, which cannot be stopped.
    """

    def __init__(self, settings: Settings, load: Callable[[Settings], Model]) -> None:
        self.model: Model | None = None
        self.pass_time = PassTime()
        self.batch_limit = BatchLimit()
        self.is_loading = False

        self._settings = settings
        self._load = load
        self._exchange = asyncio.Lock()
        # A thread of its own: asyncio waits at its end for those of its default executor.
        self._loader = ThreadPoolExecutor(1, "mammolens-load")

    async def load(self) -> Model:
        """Load and check the newest version beside the present one, then exchange them.

        Requests that have begun with the present version end with it.

        Raises:
            BundleError: the version cannot be served. The present one stays.
        """
        model = await self.exchange()
        await self.measure(model)
        return model

    async def reload(self) -> Model:
        """Load the newest version for a caller, and log why it cannot be served.

        Raises:
            BundleError: as `load` raises it, without the path of the model.
        """
        try:
            return await self.load()
        except BundleError as error:
            _log.error("the new version of the model cannot be served: %s", error)
            raise error.for_callers(self._settings.model) from error

    async def exchange(self) -> Model:
        """Load the newest version and serve it. No request is refused before it is measured."""
        async with self._exchange:
            loop = asyncio.get_running_loop()
            context = contextvars.copy_context()
            model = await loop.run_in_executor(self._loader, context.run, self._load_version)
            self.model = model
            self.pass_time = PassTime()
            self.batch_limit = BatchLimit()
            await asyncio.to_thread(memory.collect_after_load)

        _log_ready(model)
        return model

    async def measure(self, model: Model) -> None:
        """Time predictions in batches, of which the best becomes the limit.

        Requests are refused that take too many passes of the shortest time per image.
        """
        # A newer version may take the place of this one meanwhile, and bring its own.
        pass_time = self.pass_time
        batch_limit = self.batch_limit
        costs = await asyncio.to_thread(batch_costs, model, self._settings.max_batch)

        pass_time.note(min(costs.values()))
        batch_limit.choose(costs)

    async def stamp(self) -> Stamp | None:
        """Return the stamp of the newest version, or None if it cannot be read.

        Loading the version will say why.
        """
        try:
            return await asyncio.to_thread(stamp, self._settings.model)
        except OSError:
            return None

    async def watch(self, loaded: Stamp | None) -> None:
        """Go on loading each version newer than `loaded`, forever, if the settings want it."""
        if self._settings.watch_seconds:
            watch = ModelWatch(lambda: stamp(self._settings.model), self.load, loaded)
            await watch.run(self._settings.watch_seconds)

    def close(self) -> None:
        """Begin no further load."""
        self._loader.shutdown(wait=False)

    def _load_version(self) -> Model:
        self.is_loading = True
        try:
            return self._load(self._settings)
        finally:
            self.is_loading = False


def _log_ready(model: Model) -> None:
    """Log that the model is served, and each warning about it once."""
    manifest = model.manifest
    for warning in pipeline.model_warnings(model):
        _log.warning(
            "model %s/%d: %s: %s", manifest.name, manifest.version, warning.code, warning.message
        )
    _log.info("ready: model %s/%d", manifest.name, manifest.version)
