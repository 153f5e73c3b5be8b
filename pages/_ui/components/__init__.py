"""Components of plain JavaScript: the mask editor, the viewer, the gallery, the answer of a reader."""
