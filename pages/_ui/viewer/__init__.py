"""An image with overlays in the browser: zoom, pan and opacity without a rerun; and a strip of small images."""

from pages._ui.viewer.strip import StripItem, image_strip
from pages._ui.viewer.viewer import Layer, image_viewer

__all__ = ["Layer", "StripItem", "image_strip", "image_viewer"]
