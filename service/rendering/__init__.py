"""Rendering: arrays to pictures (colormaps, overlays, montages), and a scorecard to HTML.

Nothing here depends on models or HTTP.
"""

from service.rendering.caption import Caption
from service.rendering.colormap import Colormap
from service.rendering.montage import FilterPicture, FilterScale, draw_filters, draw_montage
from service.rendering.overlay import (
    FramedPicture,
    Render,
    Style,
    heat_alone,
    overlay,
    overlay_samples,
)
from service.rendering.picture_format import MAX_WEBP_EDGE, PictureFormat, encode
from service.rendering.scorecard_page import Row, scorecard_page
from service.rendering.summary_page import summary_page

__all__ = [
    "MAX_WEBP_EDGE",
    "Caption",
    "Colormap",
    "FilterPicture",
    "FilterScale",
    "FramedPicture",
    "PictureFormat",
    "Render",
    "Row",
    "Style",
    "draw_filters",
    "draw_montage",
    "encode",
    "heat_alone",
    "overlay",
    "overlay_samples",
    "scorecard_page",
    "summary_page",
]
