from pathlib import Path

import numpy as np
import pytest

from tests.training.tables.conftest import MakeTable, read_pixels, records_of

BREASTS = """\
study_id,series_id,image_id,laterality,view_position,height,width,breast_birads,breast_density,split
b8d2,9b1f,d8125545210c,R,CC,40,30,BI-RADS 2,DENSITY C,training
b8d2,9b1f,290c658f4e75,L,CC,40,30,BI-RADS 5,DENSITY C,training
b8d2,9b1f,cd0fc7bc53ac,L,MLO,40,30,BI-RADS 5,DENSITY C,training
77f1,0e33,71638b1e853b,L,CC,40,30,BI-RADS 3,DENSITY B,test
"""
FINDINGS = """\
image_id,study_id,series_id,laterality,view_position,height,width,breast_birads,breast_density,\
finding_categories,finding_birads,xmin,ymin,xmax,ymax,split
290c658f4e75,b8d2,9b1f,L,CC,40,30,BI-RADS 5,DENSITY C,"['Mass', 'Skin Retraction']",BI-RADS 5,\
4.5,10,8.0,12.5,training
290c658f4e75,b8d2,9b1f,L,CC,40,30,BI-RADS 5,DENSITY C,['Mass'],BI-RADS 4,25,35,33,39,training
290c658f4e75,b8d2,9b1f,L,CC,40,30,BI-RADS 5,DENSITY C,['Mass'],BI-RADS 3,0,0,2,2,training
d8125545210c,b8d2,9b1f,R,CC,40,30,BI-RADS 2,DENSITY C,['No Finding'],,,,,,training
71638b1e853b,77f1,0e33,L,CC,40,30,BI-RADS 3,DENSITY B,['Mass'],BI-RADS 3,1,1,5,5,test
"""
METADATA = """\
,Series Instance UID,SOP Instance UID,Patient's Age,Manufacturer's Model Name
0,9b1f,d8125545210c,053Y,Mammomat Inspiration
1,0e33,71638b1e853b,,Planmed Nuance
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "vindr"
    for line in BREASTS.splitlines()[1:]:
        study, _, image = line.split(",")[:3]
        path = root / "images" / study / f"{image}.dicom"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (root / "breast-level_annotations.csv").write_text(BREASTS)
    (root / "finding_annotations.csv").write_text(FINDINGS)
    return root


def test_suspicion_counts_as_cancer_of_every_view(source: Path, make: MakeTable) -> None:
    rows = make("vindr", source)

    assert [(row["laterality"], row["view"], row["birads"], row["cancer"]) for row in rows] == [
        ("R", "CC", "2", "0"),
        ("L", "CC", "5", "1"),
        ("L", "MLO", "5", "1"),
        ("L", "CC", "3", "0"),
    ]
    assert rows[3] == {
        "patient_id": "77f1",
        "exam_id": "77f1",
        "fold": "test",
        "image_id": "71638b1e853b",
        "laterality": "L",
        "view": "CC",
        "cancer": "0",
        "birads": "3",
        "density": "B",
        "path": "images/77f1/71638b1e853b.dicom",
    }


def test_masks_are_the_suspicious_boxes(source: Path, make: MakeTable, tmp_path: Path) -> None:
    make("vindr", source, "--masks", str(tmp_path / "masks"))

    records = records_of(tmp_path, source)
    # The other view of the breast has no box.
    assert [record.lesion_mask is not None for record in records] == [False, True, False, False]
    assert records[1].lesion_mask is not None
    expected = np.zeros((40, 30), np.uint8)
    expected[10:13, 4:8] = 255
    expected[35:39, 25:30] = 255
    np.testing.assert_array_equal(read_pixels(records[1].lesion_mask), expected)


def test_ages_and_machines_come_from_metadata(source: Path, make: MakeTable) -> None:
    (source / "metadata.csv").write_text(METADATA)

    first, second, _, last = make("vindr", source)

    assert (first["age"], first["machine_id"]) == ("53", "Mammomat Inspiration")
    assert (second["age"], second["machine_id"]) == ("", "")
    assert (last["age"], last["machine_id"]) == ("", "Planmed Nuance")
