"""The mask editor: brush, eraser and polygon at the image's resolution; every stroke is saved by itself."""

from pages._ui.mask_editor.editor import MaskSubmission, mask_editor

__all__ = ["MaskSubmission", "mask_editor"]
