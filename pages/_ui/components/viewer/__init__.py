"""Images in the browser without a rerun: with layers, side by side with one zoom, and a strip of small ones."""

from pages._ui.components.viewer.strip import StripItem, image_strip
from pages._ui.components.viewer.viewer import Frame, Layer, Mark, case_viewer, image_series, image_viewer

__all__ = ["Frame", "Layer", "Mark", "StripItem", "case_viewer", "image_series", "image_strip", "image_viewer"]
