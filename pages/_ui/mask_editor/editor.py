"""Mounting the mask editor."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from colpo_core.records.annotations import OpenAnnotation
from pages._ui import viewer
from pages._ui.components import read_part, template

PARTS = ("codec.js", "history.js", "tools.js", "saving.js", "canvas.js", "strokes.js", "keys.js", "editor.js")

_editor = st.components.v2.component(
    "colpodesk_mask_editor",
    css=read_part(__file__, "editor.css"),
    js="\n".join(
        [
            template(read_part(__file__, "editor.html")),
            read_part(viewer.__file__, "view.js"),
            *(read_part(__file__, part) for part in PARTS),
        ]
    ),
)


@dataclass(frozen=True)
class MaskSubmission:
    """What the person asked to be kept as a version: the document, the sequence on the screen, and the note."""

    document_id: str
    seq: int
    note: str


def mask_editor(
    key: str,
    annotation: OpenAnnotation,
    *,
    on_submit: Callable[[MaskSubmission], None],
    load: int = 0,
    answer: int = 0,
    around_px: int = 250,
) -> None:
    """Paint a mask. The mask itself never comes through here: the browser fetches it and saves every stroke.

    So a rerun cannot feed an old mask to the editor; what it holds is replaced only when the document, or `load`,
    changes.

    Args:
        key: One a place on the page.
        annotation: Whose mask of what.
        on_submit: Called with what to submit, before the page reruns; all strokes are saved then.
        load: Change it to make the editor load the mask again, after the server changed it.
        answer: Change it after each submission, successful or not; the editor waits for it.
        around_px: Height of everything else on the page, so that page and editor fit the window together.
    """

    def submitted() -> None:
        said = st.session_state[key].get("submitted")
        if said:
            on_submit(MaskSubmission(str(said["document_id"]), int(said["seq"]), str(said["note"])))

    _editor(
        key=key,
        data={
            "document_id": annotation.document_id,
            "image_url": f"/colpo/images/{annotation.image.id}",
            "save_url": f"/colpo/annotations/{annotation.document_id}",
            "width_px": annotation.image.width_px,
            "height_px": annotation.image.height_px,
            "next_version": (annotation.version_number or 0) + 1,
            "load": load,
            "answer": answer,
            "around_px": around_px,
        },
        on_submitted_change=submitted,
        width="stretch",
    )
