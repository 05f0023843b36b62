import json
import re
import time
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.capacity import simulate_command
from benchmarks.capacity.arrivals import DAY, HOUR, work_of, working_day
from benchmarks.capacity.step_clock import processor_laps
from benchmarks.capacity.step_table import Content, RequestCosts, StepTable, load, markdown, save
from service.observability.stopwatch import Stopwatch
from service.runtime.engine import Lane
from tests.support.paths import ROOT

CONTENT = Content(3328, 2560, "jpeg2000")
EXAM = RequestCosts(
    "/exam",
    CONTENT,
    images=4,
    megabytes=20,
    seconds={"decode": 0.4, "fit": 0.1, "explain": 0.04, "rest": 0.06},
    busy=1.2,
)


def evaluate(products: str) -> float:
    """Return the value of numbers with units between `x` and `/`, from left to right."""
    value = 1.0
    for sign, number, percent in re.findall(r"([x/]?) ?(\d+(?:\.\d+)?)(?: s)?( %)?", products):
        factor = float(number) / (100 if percent else 1)
        value = value / factor if sign == "/" else value * factor
    return value


def test_laps_count_processor_time_not_waiting() -> None:
    timer = Stopwatch()

    with processor_laps(), timer.step("wait"):
        time.sleep(0.3)

    assert timer.milliseconds["wait"] < 200


def test_work_takes_time_of_busy_request() -> None:
    work = work_of(EXAM)

    assert work.lane is Lane.EXPLAIN
    assert work.seconds == pytest.approx(1.2)
    assert work.transfer == pytest.approx(0.12)
    assert [image.read for image in work.images] == pytest.approx([0.25] * 4)
    assert [image.model for image in work.images] == pytest.approx([0.02] * 4)


def test_day_has_its_share_of_requests_each_hour() -> None:
    arrivals = working_day(work_of(EXAM), 20_000, 25, seed=1)

    hours = Counter(int(arrival.time // HOUR) for arrival in arrivals)
    assert sum(DAY) == pytest.approx(1)
    for hour, share in enumerate(DAY):
        assert hours[hour] / 20_000 == pytest.approx(share, rel=0.1)


def test_table_survives_its_file(tmp_path: Path) -> None:
    table = StepTable("2 cores", [EXAM])

    save(table, tmp_path / "table.json")

    assert load(tmp_path / "table.json") == table


def test_unmeasured_request_is_an_error() -> None:
    with pytest.raises(LookupError, match="was not measured"):
        StepTable("2 cores", [EXAM]).find("/predict", CONTENT)


def test_document_shows_measured_table() -> None:
    document = (ROOT / "docs" / "capacity.md").read_text("utf-8")

    for line in markdown(load()).splitlines():
        assert line in document


def test_exams_of_a_small_site_are_answered(capsys: pytest.CaptureFixture[str]) -> None:
    simulate_command.main(["--exams-a-day", "200"])

    *_, row = capsys.readouterr().out.splitlines()
    assert row.split(" | ")[1:4] == ["100.0%", "0.0%", "0.0%"]


def test_picture_is_drawn(tmp_path: Path) -> None:
    simulate_command.main(["--at-once", "5", "--picture", str(tmp_path / "run.png")])

    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")


def test_costs_of_another_machine_may_be_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "table.json"
    save(StepTable("2 cores", [EXAM]), path)
    assert json.loads(path.read_text())["machine"] == "2 cores"

    simulate_command.main(["--at-once", "1", "--cores", "4", "--costs", str(path)])

    # 0.12 s for the upload, 0.25 s to read each image on a core of its own, 0.02 s for each of the
    # first two calls of the model, and 0.04 s for a third one with the other two images.
    *_, row = capsys.readouterr().out.splitlines()
    assert row.split(" | ")[6] == "0.43 s"


def test_calculations_of_the_document_are_right() -> None:
    text = (ROOT / "docs" / "capacity.md").read_text("utf-8").replace(",", "")
    number = r"\d+(?:\.\d+)?"
    factor = rf"{number}(?: s)?(?: %)?"
    calculation = rf"({factor}(?: [x/] {factor})+) = ({number})( %)?"

    calculations = re.findall(calculation, text)

    assert len(calculations) > 20
    for left, right, percent in calculations:
        value = evaluate(left) * (100 if percent else 1)
        rounded = round(value, len(right.partition(".")[2]))
        assert float(right) in (rounded, int(value)), left
