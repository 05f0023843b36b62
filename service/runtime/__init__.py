"""Engine without HTTP: model life cycle, admission, scheduling, batching and reader processes."""

from service.runtime.admission import AdmissionQueue, Slot
from service.runtime.engine import AdmittedRequest, Engine, Lane
from service.runtime.model_loader import load_model
from service.runtime.observer import EngineObserver
from service.runtime.readers import ReaderLost, ReaderPool

__all__ = [
    "AdmissionQueue",
    "AdmittedRequest",
    "Engine",
    "EngineObserver",
    "Lane",
    "ReaderLost",
    "ReaderPool",
    "Slot",
    "load_model",
]
