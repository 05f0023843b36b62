"""The task that a reader process runs."""

import logging
import pickle
import subprocess
import sys
import warnings
from dataclasses import replace

import pytest

from service.objects import BuildTask
from service.records import ObjectName, ObjectPart
from tests.support.archive_objects import (
    build,
    exam_results,
    object_request,
    opened,
    phantom_exam,
)
from tests.support.paths import ROOT

SECRET = "Doe^Jane^=^^^^=x=y=z"
PART = ObjectPart(ObjectName.SEG, 0)


def test_highdicom_is_imported_on_first_use_alone() -> None:
    script = "import service.objects, sys; print('highdicom' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert result.stdout.strip() == "False"


def test_task_crosses_to_another_process() -> None:
    request = object_request(exam_results(phantom_exam()), PART)
    task = pickle.loads(pickle.dumps(BuildTask(request)))  # noqa: S301 - our own

    assert opened(task(b"", None)).Modality == "SEG"


def test_same_request_gives_the_same_bytes() -> None:
    results = exam_results(phantom_exam())

    for name in (ObjectName.SC, ObjectName.SEG):
        part = ObjectPart(name, 1)
        assert build(results, part) == build(results, part)


def test_nothing_of_a_header_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """highdicom and pydicom quote names that they find odd."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = exam_results(phantom_exam(PatientName=SECRET.encode() + b" "))

    with caplog.at_level(logging.DEBUG), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        build(results, PART)

    assert "Doe" not in caplog.text + repr([str(each.message) for each in warned])


def test_results_do_not_show_headers() -> None:
    results = exam_results(phantom_exam(PatientName="Doe^Jane"))

    assert "Doe" not in repr(object_request(results, PART))
    assert "Doe" not in repr(replace(results, method=results.method))
