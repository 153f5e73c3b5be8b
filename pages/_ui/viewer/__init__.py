"""Images in the browser without a rerun: one with overlays, several with one zoom, and a strip of small ones."""

from pages._ui.viewer.series import SeriesImage, image_series
from pages._ui.viewer.strip import StripItem, image_strip
from pages._ui.viewer.viewer import Layer, Mark, image_viewer

__all__ = ["Layer", "Mark", "SeriesImage", "StripItem", "image_series", "image_strip", "image_viewer"]
