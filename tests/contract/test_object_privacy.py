"""Names in the files of an exam are in its objects, and nowhere else."""

import time
from dataclasses import dataclass, field
from gzip import decompress
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from pydicom import FileDataset, dcmread
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataset import Dataset

from service.api.explain_files import main
from service.imaging import OBJECT_TAGS
from tests.contract.test_privacy import KEY, MARK, Collector
from tests.support.pixel_forms import take_apart
from training.phantoms import Acquisition, Detector, PhantomIdentity, render_view, to_dicom

OTHER = "XWOTHER"
TEXTS = {"PN", "LO", "SH", "LT", "ST", "UT", "UC"}
VIEWS = [("L", "CC"), ("L", "MLO"), ("R", "CC"), ("R", "MLO")]
OBJECTS = ("summary", "report", "marks", "sc", "seg")


def named_image(number: int, mark: str = MARK) -> FileDataset:
    """Return a phantom of the exam with the mark in every text that objects copy, and in others."""
    image = render_view(np.random.default_rng(6), detector=Detector(320, 240))
    dataset = to_dicom(image, Acquisition(transfer_syntax="explicit"))
    for tag in sorted(OBJECT_TAGS):
        vr = dictionary_VR(tag) if dictionary_has_tag(tag) else ""
        if vr in TEXTS:
            dataset.add_new(tag, vr, f"{mark}^{number}" if vr == "PN" else f"{mark} {number}"[:16])
    for keyword in ("InstitutionName", "StationName", "ImageComments", "DerivationDescription"):
        setattr(dataset, keyword, f"{mark} text")
    dataset.WindowCenter, dataset.WindowWidth = [2048, 1800], [4096, 3600]
    dataset.WindowCenterWidthExplanation = ["NORMAL", f"{mark} window"]
    dataset.VOILUTSequence = [named_table(mark)]
    dataset.PatientID = f"{mark} ID"
    dataset.OperatorsName = f"{mark}^Operator"
    dataset.ImageLaterality, dataset.ViewPosition = VIEWS[number]
    dataset.SOPInstanceUID = PhantomIdentity().uid("privacy", number)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID

    block = dataset.private_block(0x0011, f"{mark} CREATOR", create=True)
    block.add_new(1, "LO", f"{mark} PRIVATE")
    return dataset


def named_table(mark: str) -> Dataset:
    """Return a VOI LUT with the mark in its explanation."""
    table = Dataset()
    table.LUTDescriptor = [4096, 0, 12]
    table.LUTExplanation = f"{mark} table"
    table.LUTData = np.arange(4096, dtype="<u2").tobytes()
    table["LUTData"].VR = "OW"
    return table


def to_bytes(dataset: FileDataset) -> bytes:
    buffer = BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


@dataclass
class ExamTraffic:
    """Answers with objects, with pixels and without, and all that the service wrote."""

    objects: dict[str, httpx.Response] = field(default_factory=dict)
    pixels: list[httpx.Response] = field(default_factory=list)
    others: dict[str, httpx.Response] = field(default_factory=dict)
    written: dict[str, bytes] = field(default_factory=dict)


@pytest.fixture(scope="module")
def traffic(start: Any, tmp_path_factory: pytest.TempPathFactory) -> ExamTraffic:
    folder = tmp_path_factory.mktemp("object-privacy")
    collected = ExamTraffic()
    collector = Collector()
    settings = {
        "MAMMOLENS_AUDIT_LOG": str(folder / "audit.jsonl"),
        "MAMMOLENS_AUDIT_KEY": KEY,
        "OTEL_BSP_SCHEDULE_DELAY": "50",
    }

    with (
        collector.running() as address,
        (folder / "log").open("wb") as log,
        start(log, MAMMOLENS_TRACES=address, **settings) as running,
        httpx.Client(base_url=running.address, timeout=60) as client,
    ):
        send(client, collected)
        collected.written["metrics"] = client.get("/metrics").content
        time.sleep(0.3)

    collected.written["log"] = (folder / "log").read_bytes()
    collected.written["audit"] = (folder / "audit.jsonl").read_bytes()
    collected.written["traces"] = b"".join(collector.bodies)
    return collected


def send(client: httpx.Client, collected: ExamTraffic) -> None:
    """Ask for every answer about the exam, and for the refusals that read its headers."""
    exam = [to_bytes(named_image(number)) for number in range(4)]
    stranger = to_bytes(named_image(1, OTHER))
    homeless = named_image(0)
    del homeless.StudyInstanceUID

    def post(route: str, *files: bytes) -> httpx.Response:
        return client.post(route, files=[("file", (f"{MARK}.dcm", data)) for data in files])

    collected.objects["exam"] = post("/exam/dicom?negatives=true", *exam)
    for name in OBJECTS:
        collected.objects[name] = post(f"/gradcam/{name}.dcm?negatives=true", exam[0])

    collected.pixels = [post("/exam/pixels?heat=all", *exam)]
    collected.others = {
        "exam": post("/exam?heat=all", *exam),
        "mixed": post("/exam/dicom", exam[0], stranger),
        "negative": post("/gradcam/sc.dcm", exam[0]),
        "not storable": post("/exam/dicom", to_bytes(homeless)),
        "truncated": post("/exam/dicom", exam[0][:-40_000]),
        "none": post("/exam/dicom?objects=sc", exam[0], exam[1]),
    }


def test_objects_name_patient_of_their_exam(traffic: ExamTraffic) -> None:
    for name, answer in traffic.objects.items():
        assert answer.status_code == 200, (name, answer.text)
        assert MARK.encode() in answer.content, name
        assert OTHER.encode() not in answer.content, name
        assert MARK not in str(answer.headers), name

    report = dcmread(BytesIO(traffic.objects["report"].content))
    assert report.PatientName == f"{MARK}^0"
    assert "PRIVATE" not in str(report)


def test_pixels_name_nobody(traffic: ExamTraffic) -> None:
    """Nor do they hold an explanation of a window or a table that is no known term."""
    (answer,) = traffic.pixels
    assert answer.status_code == 200, answer.text

    form = take_apart(answer.headers["content-type"], answer.content)

    names = [preset["name"] for preset in form.answer["pixels"][0]["presets"]]
    assert names == ["NORMAL", None, None]
    assert len(form.files) == 8
    assert MARK not in str(answer.headers) + str(form.answer)
    for content in (answer.content, *map(decompress, form.files.values())):
        assert MARK.encode() not in content
        assert b"PRIVATE" not in content


def test_no_other_answer_names_the_patient(traffic: ExamTraffic) -> None:
    kinds = {
        name: answer.json().get("type", "answered").removeprefix("urn:mammolens:")
        for name, answer in traffic.others.items()
    }

    assert kinds == {
        "exam": "answered",
        "mixed": "mixed-exam",
        "negative": "decided-negative",
        "not storable": "not-storable",
        "truncated": "no-image-answered",
        "none": "no-object",
    }
    for name, answer in traffic.others.items():
        text = answer.text + str(answer.headers)
        assert MARK not in text, name
        assert OTHER not in text, name


@pytest.mark.parametrize("place", ["log", "audit", "metrics", "traces"])
def test_service_writes_neither_name_nor_identifier(traffic: ExamTraffic, place: str) -> None:
    written = traffic.written[place]
    sources = [named_image(number) for number in range(4)]

    assert written
    assert b"/exam/dicom" in written
    assert b"/exam/pixels" in written
    assert MARK.lower().encode() not in written.lower()
    assert OTHER.lower().encode() not in written.lower()
    for source in sources:
        assert source.SOPInstanceUID.encode() not in written
        assert source.StudyInstanceUID.encode() not in written


def test_command_prints_no_name(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "exam"
    folder.mkdir()
    for number in range(2):
        (folder / f"{number}.dcm").write_bytes(to_bytes(named_image(number)))
    out = tmp_path / "out"

    code = main([str(folder), "--out", str(out), "--negatives", "--model", "fake"])

    printed = capfd.readouterr()
    assert code == 0
    assert MARK not in printed.out + printed.err
    for path in out.iterdir():
        assert (MARK.encode() in path.read_bytes()) == (path.suffix == ".dcm"), path.name
        assert MARK not in path.name
