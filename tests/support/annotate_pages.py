"""The annotation page without a browser: its images, its editor, and what it says."""

from typing import Any

import numpy as np

from colpo_core.images.masks import encode_rle
from colpo_core.services.annotations import imported_masks, own_masks
from colpo_core.services.common.actors import program_actor
from colpo_core.services.common.callers import Caller
from colpo_core.store import Store
from colpo_core.terms import MaskOrigin

HEIGHT, WIDTH = 24, 32


def import_guess(store: Store, image_id: int) -> int:
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    mask[4 : 8 + image_id, 5:20] = True
    return imported_masks.import_annotation(
        Caller(store, program_actor(store, "importer")), image_id=image_id, mask=mask, origin=MaskOrigin.CHORD
    )


def shown(app: Any) -> str:
    said = [str(item.value) for kind in ("title", "header", "markdown", "caption") for item in app.get(kind)]
    return "\n".join([*said, *(box.label for box in app.checkbox)])


def editor_of(app: Any) -> str:
    """What the mask editor was given, as JSON."""
    return next(
        str(one.proto.json)
        for one in app.get("bidi_component")
        if '"layers"' in one.proto.json and '"answer"' in one.proto.json
    )


# --- starts, versions and modes ---


def paint(caller: Caller, image_id: int, width: int, note: str = "") -> int:
    """Submits a mask of so many columns; returns its version."""
    opened = own_masks.open_annotation(caller, image_id=image_id)
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    mask[:, :width] = True
    saved = own_masks.save_draft(
        caller, document_id=opened.document_id, base_seq=opened.seq, rle=encode_rle(mask), strokes=3,
        active_ms=61_000)  # fmt: skip
    made = own_masks.submit_annotation(caller, document_id=opened.document_id, seq=saved.seq, note=note)
    return made.version_id
