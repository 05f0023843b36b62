import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from service import pipeline
from service.imaging import read
from service.model.fake import FakeModel
from service.observability.stopwatch import Stopwatch
from service.pipeline import Explanation, Question
from service.rendering import Colormap, Style

STYLE = Style(Colormap.INFERNO, 0.6, math.inf)
LINES = ("AI, research only, fake/1",)


def explained(mammogram_png: bytes, picture_edge: float) -> Explanation:
    reader = partial(read, picture_edge=picture_edge)
    return pipeline.explain(FakeModel(), reader, mammogram_png, Stopwatch(), Question())


def test_overlay_samples_have_size_of_source(mammogram_png: bytes) -> None:
    samples = pipeline.draw_overlay_samples(explained(mammogram_png, math.inf), STYLE, LINES)

    assert samples.shape == (640, 480, 3)
    assert samples.dtype == np.uint8


def test_lines_stand_beside_note_of_negative_image(mammogram_png: bytes) -> None:
    noted = replace(
        explained(mammogram_png, math.inf), note="Decided negative: heat is no finding."
    )
    plain = replace(noted, note=None)

    heights = [
        np.flatnonzero((drawn != bare).any(axis=(1, 2)))
        for bare in [pipeline.draw_overlay_samples(plain, STYLE, ())]
        for drawn in (
            pipeline.draw_overlay_samples(plain, STYLE, LINES),
            pipeline.draw_overlay_samples(noted, STYLE, LINES),
        )
    ]

    one, three = (np.ptp(rows) for rows in heights)
    assert 0 < 2 * one < three


def test_thumbnail_shows_heat_only_on_request(mammogram_png: bytes) -> None:
    explanation = explained(mammogram_png, 400)

    hot = pipeline.draw_thumbnail(explanation, 200, with_heat=True)
    grey = pipeline.draw_thumbnail(explanation, 200, with_heat=False)

    assert hot.shape == grey.shape == (200, 150, 3)
    assert (grey == grey[..., :1]).all()
    assert not (hot == hot[..., :1]).all()


def test_drawing_needs_picture_of_reading(mammogram_png: bytes) -> None:
    explanation = explained(mammogram_png, 0)

    with pytest.raises(ValueError, match="no picture"):
        pipeline.draw_overlay_samples(explanation, STYLE, LINES)
    with pytest.raises(ValueError, match="no picture"):
        pipeline.draw_thumbnail(explanation, 200, with_heat=True)
