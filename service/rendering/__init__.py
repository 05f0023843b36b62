"""Arrays -> PNG: colormaps, overlays, montages; knows neither models nor HTTP."""

from service.rendering.colormap import Colormap
from service.rendering.montage import FilterPicture, FilterScale, draw_filters, montage_png
from service.rendering.overlay import Picture, Render, Style, heat_alone, overlay

__all__ = [
    "Colormap",
    "FilterPicture",
    "FilterScale",
    "Picture",
    "Render",
    "Style",
    "draw_filters",
    "heat_alone",
    "montage_png",
    "overlay",
]
