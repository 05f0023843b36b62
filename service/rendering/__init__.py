"""Arrays -> PNG: colormaps, overlays, montages; a scorecard -> HTML; knows neither models nor HTTP."""

from service.rendering.colormap import Colormap
from service.rendering.montage import FilterPicture, FilterScale, draw_filters, montage_png
from service.rendering.overlay import FramedPicture, Render, Style, heat_alone, overlay
from service.rendering.scorecard_page import Row, scorecard_page

__all__ = [
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
