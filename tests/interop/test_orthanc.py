"""Objects of an exam in Orthanc: stored by curl, and fetched by an independent client."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import SecondaryCaptureImageStorage, SegmentationStorage

from tests.support.archive_uploads import SAMPLE_EXAM, as_exam_of, explain_into
from tests.support.orthanc import Archive, archiving
from tests.support.paths import DEMO
from tests.support.servers import running

pytestmark = pytest.mark.interop

GREEK = ("ISO_IR 126", "Διονυσίου^Ελένη")
JAPANESE = (["", "ISO 2022 IR 87"], "Yamada^Hanako=山田^花子=やまだ^はなこ")


class Stored(NamedTuple):
    """An archive that holds an exam and its objects.

    `earlier`, `objects`: as they were sent the first and the second time.
    """

    archive: Archive
    sources: Sequence[Dataset]
    earlier: Sequence[Dataset]
    objects: Sequence[Dataset]

    @property
    def study(self) -> str:
        return str(self.sources[0].StudyInstanceUID)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running(MAMMOLENS_MODEL=str(DEMO)) as started:
        yield started.address


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with archiving(tmp_path_factory.mktemp("orthanc")) as started:
        yield started


@pytest.fixture(scope="module")
def stored(server: str, archive: Archive, tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """The sample exam and its objects, asked for and stored twice by the same request ID."""
    copy = tmp_path_factory.mktemp("body") / "objects"
    sources = [dcmread(file) for file in SAMPLE_EXAM]
    archive.client.store_instances(sources)

    earlier, objects = (
        explain_into(archive, server, SAMPLE_EXAM, copy, request_id="stored-twice")
        for _ in range(2)
    )
    return Stored(archive, sources, earlier, objects)


def fetch(archive: Archive, sent: Dataset) -> Dataset:
    """Return the instance as the archive has it."""
    return archive.client.retrieve_instance(
        sent.StudyInstanceUID, sent.SeriesInstanceUID, sent.SOPInstanceUID
    )


def of_class(objects: Sequence[Dataset], uid: str) -> list[Dataset]:
    return [sent for sent in objects if sent.SOPClassUID == uid]


def test_positive_exam_has_every_kind_of_object(stored: Stored) -> None:
    names = Counter(sent.SOPClassUID.name for sent in stored.objects)

    assert names == {
        "Secondary Capture Image Storage": 3,  # the summary, and two positive images
        "Segmentation Storage": 2,
        "Comprehensive SR Storage": 3,  # the report, and marks of two images
    }


def test_archive_lists_every_instance_once(stored: Stored) -> None:
    listed = stored.archive.client.search_for_instances(stored.study)

    uids = [instance["00080018"]["Value"][0] for instance in listed]
    sent = [dataset.SOPInstanceUID for dataset in (*stored.sources, *stored.objects)]
    assert sorted(uids) == sorted(sent)
    assert len(stored.archive.client.search_for_studies()) == 1


def test_same_request_names_the_same_instances(stored: Stored) -> None:
    names = [
        [sent.SOPInstanceUID for sent in sending] for sending in (stored.earlier, stored.objects)
    ]

    assert names[0] == names[1]
    assert len(set(names[0])) == len(names[0])


def test_objects_come_back_as_they_were_sent(stored: Stored) -> None:
    for sent in stored.objects:
        assert fetch(stored.archive, sent) == sent


def test_captures_come_back_with_equal_pixels(stored: Stored) -> None:
    captures = of_class(stored.objects, SecondaryCaptureImageStorage)

    for sent in captures:
        received = fetch(stored.archive, sent)
        np.testing.assert_array_equal(received.pixel_array, sent.pixel_array)
        assert received.pixel_array.shape == (sent.Rows, sent.Columns, 3)
        assert received.pixel_array.std() > 0


def test_segmentations_come_back_with_equal_frames(stored: Stored) -> None:
    segmentations = of_class(stored.objects, SegmentationStorage)

    for sent in segmentations:
        received = fetch(stored.archive, sent)
        frames = received.pixel_array.reshape(-1, sent.Rows, sent.Columns)
        np.testing.assert_array_equal(frames, sent.pixel_array.reshape(frames.shape))
        assert all(0 < frame.mean() < 0.5 for frame in frames)


@pytest.mark.parametrize(("charset", "name"), [GREEK, JAPANESE], ids=["greek", "japanese"])
def test_names_arrive_unharmed(
    charset: str | list[str], name: str, server: str, tmp_path: Path
) -> None:
    elements = {"SpecificCharacterSet": charset, "PatientName": name, "PatientID": "other"}
    files = as_exam_of(SAMPLE_EXAM[2:], tmp_path, **elements)

    with archiving(tmp_path) as archive:
        objects = explain_into(archive, server, files, tmp_path / "objects")
        study = archive.client.search_for_studies()[0]
        received = [fetch(archive, sent) for sent in objects]

    listed = study["00100010"]["Value"][0]
    assert "=".join(listed.values()) == name
    assert {str(dataset.PatientName) for dataset in received} == {name}
