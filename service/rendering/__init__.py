"""Rendering: arrays to PNG (colormaps, overlays, montages), and a scorecard to HTML.

Nothing here depends on models or HTTP.
"""

from service.rendering.caption import Caption
from service.rendering.colormap import Colormap
from service.rendering.montage import FilterPicture, FilterScale, draw_filters, montage_png
from service.rendering.overlay import FramedPicture, Render, Style, heat_alone, overlay
from service.rendering.scorecard_page import Row, scorecard_page

__all__ = [
    "Caption",
    "Colormap",
    "FilterPicture",
    "FilterScale",
    "FramedPicture",
    "Render",
    "Row",
    "Style",
    "draw_filters",
    "heat_alone",
    "montage_png",
    "overlay",
    "scorecard_page",
]
