"""The command `score`."""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from service.errors import EngineMissing, MammolensError
from service.observability import logs
from service.runtime.scoring import local_engine
from service.runtime.scoring.archive_scoring import Engine, ScoringRequest, score
from service.runtime.scoring.ray_address import AUTO
from service.runtime.scoring.result_tables import Totals
from service.settings import FAKE, Settings, SettingsRefused

_INTERRUPTED = 130
_DESCRIPTION = """\
Score every image of an archive with a model bundle. DIR gets three tables:

  images.parquet   a row for each image: probability, decision, warnings, or the problem for which
                   it was refused; with --regions also where the heat lies
  breasts.parquet  a row for each breast, decided from the images that count
  exams.parquet    a row for each exam
  scoring.json     the model and the source

Run the same command again after an interruption: it goes on where it was.
"""
_EPILOG = """\
sources:
  A folder: the images in it and below it, DICOM files and those named as PNG, JPEG or TIFF. Images
  of one study are an exam, and other images of one folder.
  A table (.csv or .parquet) with the column `path`, relative to its folder, or with the columns
  that --images names. `laterality` and `view` count where a file does not say them. `patient_id`
  and `exam_id` make exams.
  Both may be addresses for fsspec, such as s3://bucket/folder.

examples:
  %(prog)s models/demo archive/ --out scored
  %(prog)s models/mine table.csv --images 'images/{patient_id}/{image_id}.dcm' --out scored
  %(prog)s models/mine archive/ --out scored --regions
  %(prog)s models/mine s3://bucket/archive --out scored --ray auto

MAMMOLENS_READERS, MAMMOLENS_THREADS, MAMMOLENS_MAX_BATCH and the limits on files count as for the
service. docs/scoring.md describes the columns, and clusters.
"""


def main(arguments: Sequence[str] | None = None, prog: str = "python -m service score") -> int:
    """Score the archive. Return 0, 1 if it cannot be scored, or 130 after Ctrl-C."""
    parsed = _parser(prog).parse_args(arguments)
    logs.configure()
    try:
        totals = score(_request(parsed), _engine(parsed.ray))
    except (SettingsRefused, MammolensError) as error:
        return _fail(f"{error} {getattr(error, 'remedy', '')}".strip())
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        return _fail(f"Reading or writing failed: {reason}. Run the same command again to go on.")
    except KeyboardInterrupt:
        _fail("Interrupted. Run the same command again to go on.")
        return _INTERRUPTED

    if totals is None:
        _tell([f"{parsed.out} is complete already."])
    else:
        _tell(_summary(totals, parsed.out))
    return 0


def _request(parsed: argparse.Namespace) -> ScoringRequest:
    model: Path = parsed.bundle
    settings = Settings.read().model_copy(
        update={"model": model if model == FAKE else model.resolve()}
    )
    return ScoringRequest(settings, parsed.source, parsed.out, parsed.images, parsed.regions)


def _engine(address: str | None) -> Engine:
    """Return the engine of a cluster, or that of this machine without an address.

    Raises:
        EngineMissing: Ray is not installed.
    """
    if address is None:
        return local_engine.score_parts
    try:
        from service.runtime.scoring import ray_engine  # noqa: PLC0415 - an extra of its own
    except ModuleNotFoundError as error:
        raise EngineMissing(f'{error.name} is missing: pip install "mammolens[ray]".') from error

    return partial(ray_engine.score_parts, address)


def _summary(totals: Totals, out: Path) -> Iterator[str]:
    """Yield lines about a scoring that is complete."""
    refused = totals.problems.total()
    yield (
        f"images: {totals.images}, of which {totals.positive_images} positive, "
        f"{totals.images - totals.positive_images - refused} negative, {refused} refused"
    )
    for slug, count in totals.problems.most_common():
        yield f"  {slug}: {count}"
    negative = totals.exams - totals.positive_exams - totals.undecided_exams
    yield (
        f"exams: {totals.exams}, of which {totals.positive_exams} positive, {negative} negative, "
        f"{totals.undecided_exams} undecided"
    )
    yield f"wrote images.parquet, breasts.parquet and exams.parquet in {out}"


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "bundle", type=Path, metavar="BUNDLE", help="model directory, or one version of it"
    )
    parser.add_argument("source", metavar="SOURCE", help="folder or table of images")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder of the results"
    )
    parser.add_argument(
        "--images", metavar="TEMPLATE", help="paths of a table's images, of its columns"
    )
    parser.add_argument(
        "--regions", action="store_true", help="also explain the positive class by Grad-CAM"
    )
    parser.add_argument(
        "--ray",
        metavar="ADDRESS",
        help=f"score on a Ray cluster; {AUTO}: that of this machine, which is started if need be",
    )
    return parser


def _tell(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")


def _fail(reason: str) -> int:
    sys.stderr.write(f"mammolens: {reason}\n")
    return 1
