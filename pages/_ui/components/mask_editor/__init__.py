"""The mask editor: findings as layers, painted at the image's resolution; every stroke is saved by itself."""

from pages._ui.components.mask_editor.editor import MaskSubmission, Reference, mask_editor

__all__ = ["MaskSubmission", "Reference", "mask_editor"]
