"""Bounds of what a body may hold, and how slowly it may arrive."""

from collections.abc import Callable
from dataclasses import dataclass

from service.errors import (
    ExamTooLarge,
    JsonTooLarge,
    MalformedUpload,
    MammolensError,
    TooManyImages,
    UploadTooLarge,
)
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class UploadBounds:
    """Bounds of a body: its files, their bytes, its minimum rate, and the seconds beyond it.

    `max_bytes`: of all files together. `too_large`: the error of a body with more.
    """

    max_files: int
    max_file_bytes: int
    max_bytes: int
    min_rate: int
    seconds: float
    too_large: Callable[[int], MammolensError]

    @classmethod
    def of_image(cls, settings: Settings) -> "UploadBounds":
        """Return the bounds of a body with one image."""
        size = settings.max_upload_bytes
        rate = settings.min_upload_rate
        return cls(1, size, size, rate, settings.upload_seconds, UploadTooLarge)

    @classmethod
    def of_exam(cls, settings: Settings) -> "UploadBounds":
        """Return the bounds of a body with the images of an exam."""
        return cls(
            settings.max_exam_images,
            settings.max_upload_bytes,
            settings.exam_bytes,
            settings.min_upload_rate,
            settings.upload_seconds,
            ExamTooLarge,
        )

    @classmethod
    def of_tensors(
        cls, settings: Settings, max_json_bytes: int, *, is_json: bool
    ) -> "UploadBounds":
        """Return the bounds of a body with tensors: JSON alone, or JSON before binary tensors."""
        rate = settings.min_upload_rate
        seconds = settings.upload_seconds
        if is_json:
            return cls(1, max_json_bytes, max_json_bytes, rate, seconds, JsonTooLarge)
        size = settings.exam_bytes + max_json_bytes
        return cls(1, size, size, rate, seconds, ExamTooLarge)

    def check_count(self, files: int) -> None:
        """Check the number of files.

        Raises:
            MalformedUpload: there may be one alone.
            TooManyImages: there may be several, but not as many.
        """
        if files <= self.max_files:
            return
        if self.max_files == 1:
            message = "The body contains more than one file. Send one in a request."
            raise MalformedUpload(message)
        raise TooManyImages(self.max_files)

    def check_size(self, file: int, total: int) -> None:
        """Check the bytes of one file, and those of all.

        Raises:
            UploadTooLarge: the file has too many.
            ExamTooLarge: all files together have too many.
        """
        if file > self.max_file_bytes:
            raise UploadTooLarge(self.max_file_bytes)
        self.check_body(total)

    def check_body(self, size: int, overhead: int = 0) -> None:
        """Check the bytes of a body, of which so many may be none of a file.

        Raises:
            UploadTooLarge, ExamTooLarge: there are too many.
        """
        if size > self.max_bytes + overhead:
            raise self.too_large(self.max_bytes)
