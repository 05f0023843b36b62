"""Errors of the scoring of an archive."""

from pathlib import Path

from service.errors.base import MammolensError


class ScoringError(MammolensError):
    """The archive cannot be scored in this way. The message is for the caller of the command."""

    slug = "scoring-refused"
    title = "Scoring refused"
    remedy = "Correct what the message names, and run the command again."


class SourceRefused(ScoringError):
    """The folder or the table of images cannot be used."""


class EngineFailed(ScoringError):
    """The cluster does not answer, or ends."""

    remedy = "Check the cluster, and run the command again: what is scored already is kept."


class EngineMissing(ScoringError):
    """The packages of the cluster's engine are not installed."""


class OtherScoring(ScoringError):
    """The folder of the results holds those of another scoring."""


class ScoringBusy(ScoringError):
    """Another process writes to the folder of the results."""


class OtherModel(ScoringError):
    """A machine has another bundle than the one that the scoring began with."""

    def __init__(self, model: Path, expected: str, digest: str) -> None:
        super().__init__(
            f"Model {model} has the digest {digest[:12]} here, and the scoring began with "
            f"{expected[:12]}. Results of two models do not go into one table."
        )


class UnreadableFile(ScoringError):
    """A listed file is missing, is no file, or may not be read."""

    slug = "unreadable-file"
    title = "File cannot be read"
    remedy = "Check the path of the file and the right to read it."


class FileTooLarge(ScoringError):
    """A listed file is larger than the limit."""

    slug = "file-too-large"
    title = "File too large"
    remedy = "Score a smaller file, or raise MAMMOLENS_MAX_UPLOAD_BYTES."

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"The file is larger than {max_bytes} bytes.", max_bytes=max_bytes)
