"""Score an archive: list it, score the parts that are missing, and write the tables."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from service.imaging import IMAGING_VERSION
from service.model import FakeModel, Manifest, newest_version, read_manifest
from service.runtime.scoring import local_engine
from service.runtime.scoring.image_scorer import ScoringOrder
from service.runtime.scoring.listing import digest_of, list_source
from service.runtime.scoring.listing_parts import (
    ListingPart,
    ScoredPart,
    count_parts,
    divide,
    images_of_a_part,
)
from service.runtime.scoring.result_tables import Totals, write_tables
from service.runtime.scoring.run_folder import RunFolder, ScoringFacts, writing
from service.runtime.scoring.scoring_progress import ScoringProgress
from service.settings import FAKE, Settings

Engine = Callable[[ScoringOrder, Sequence[ListingPart], ScoringProgress], Iterator[ScoredPart]]
"""Scorer of parts. It yields the rows of each, in any order of the parts."""


@dataclass(frozen=True, slots=True)
class ScoringRequest:
    """What to score and how.

    `settings`: name the model. `images`: template of a table's images, None for its column `path`.
    `regions`: also explain the positive class.
    """

    settings: Settings
    source: str
    out: Path
    images: str | None = None
    regions: bool = False


def score(request: ScoringRequest, engine: Engine = local_engine.score_parts) -> Totals | None:
    """Score what is not scored yet, and write the tables. None if they were there already.

    Raises:
        ScoringError: the request cannot be scored.
        BundleError: the model cannot be loaded.
        OSError: the storage of a file fails.
    """
    manifest, digest = _identify(request.settings)
    folder = RunFolder(request.out)
    with folder.held():
        facts = _score_missing(request, folder, manifest, digest, engine)
        if folder.is_complete():
            folder.tidy()
            return None

        parts = count_parts(facts.images, facts.part_images)
        totals = write_tables(folder, parts, facts.images, manifest)
        folder.tidy()
        return totals


def _score_missing(
    request: ScoringRequest, folder: RunFolder, manifest: Manifest, digest: str, engine: Engine
) -> ScoringFacts:
    """Score the parts that are missing, unless the tables are there. Return the facts."""
    listing = list_source(request.source, request.images, str(request.out.resolve()))
    facts = _facts(request, manifest, digest, listing)
    folder.begin(facts)
    if folder.is_complete():
        return facts

    parts = divide(listing, facts.part_images, folder.done_parts())
    missing = sum(part.images.num_rows for part in parts)
    order = ScoringOrder(request.settings, digest, folder.read_key(), request.regions)
    with ScoringProgress(facts.images, facts.images - missing) as progress:
        for number, rows in engine(order, parts, progress):
            with writing(folder.part(number), rows.schema) as writer:
                writer.write_table(rows)
    return facts


def _identify(settings: Settings) -> tuple[Manifest, str]:
    """Return the manifest and the digest of the model, which is not loaded."""
    if settings.model == FAKE:
        fake = FakeModel()
        return fake.manifest, fake.digest
    return read_manifest(newest_version(settings.model))


def _facts(
    request: ScoringRequest, manifest: Manifest, digest: str, listing: pa.Table
) -> ScoringFacts:
    return ScoringFacts(
        source=request.source,
        model=manifest.name,
        version=manifest.version,
        digest=digest,
        model_engine=request.settings.engine,
        imaging=IMAGING_VERSION,
        regions=request.regions,
        listing=digest_of(listing),
        images=listing.num_rows,
        part_images=images_of_a_part(listing.num_rows),
    )
