"""The peak of the heat in an overlay for archives, where the results say that it is."""

import math
from dataclasses import replace
from functools import partial

import numpy as np

from service import pipeline
from service.imaging import read
from service.model import FakeModel
from service.observability.stopwatch import Stopwatch
from service.pipeline import Question
from service.records import Laterality, ObjectName, ObjectPart
from service.rendering import Colormap, Style
from tests.support.archive_objects import (
    MIRRORED_AND_REDUCED,
    build,
    exam_results,
    file_bytes,
    image_result,
    opened,
    phantom_exam,
    phantom_file,
)
from training.phantoms.transfer import Syntax

STYLE = Style(Colormap.INFERNO, 1.0, math.inf)


@MIRRORED_AND_REDUCED
def test_overlay_is_hottest_where_results_say(
    side: Laterality, syntax: Syntax, shape: tuple[int, int]
) -> None:
    """Over black, the colour map is brightest at its end, so the hottest pixels are brightest."""
    file = phantom_file(side, syntax, shape)
    reader = partial(read, picture_edge=math.inf)
    explanation = pipeline.explain(FakeModel(), reader, file_bytes(file), Stopwatch(), Question())
    reading = explanation.prediction.reading
    assert reading.picture is not None
    dark = replace(reading, picture=np.zeros_like(reading.picture))
    black = replace(
        explanation, prediction=replace(explanation.prediction, reading=dark), note=None
    )

    samples = pipeline.draw_overlay_samples(black, STYLE, ())
    results = replace(exam_results(phantom_exam()), images=(image_result(file, 0),))
    capture = opened(build(results, ObjectPart(ObjectName.SC, 0), picture=samples))

    brightness = capture.pixel_array.astype(int).sum(axis=2)
    rows, columns = np.nonzero(brightness == brightness.max())
    x, y = explanation.regions[0].peak
    assert min(np.hypot(columns - x, rows - y)) <= 1
