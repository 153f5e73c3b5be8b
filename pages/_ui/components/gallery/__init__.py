"""A gallery of cases: thumbnails with what is known of each, opened by a click, selected by a box or a key."""

from pages._ui.components.gallery.gallery import GalleryItem, case_gallery

__all__ = ["GalleryItem", "case_gallery"]
