"""The task of building one object, as it is sent to a reader process."""

from dataclasses import dataclass

from service.objects.sources import quiet
from service.records import ObjectRequest


@dataclass(frozen=True, slots=True)
class BuildTask:
    """The work of building one object, from results and headers of files."""

    request: ObjectRequest

    def __call__(self, data: bytes, limits: object) -> bytes:  # noqa: ARG002 - as every task
        """Return the object as a DICOM file.

        `data`: the samples of its RGB picture, for `summary` and `sc`. Otherwise it is ignored.
        `limits`: of reading files. Only the memory of the process bounds this task.

        Raises:
            NotStorable: a file has no identity in an archive, or no object can have it.
        """
        # highdicom takes a second and 20 MB, and most processes build no object.
        from service.objects.builders import build  # noqa: PLC0415 - see above

        with quiet():
            return build(self.request, data)
