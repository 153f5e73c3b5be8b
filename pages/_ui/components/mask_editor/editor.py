"""Mounting the mask editor."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from colpo_core.records.annotations import OpenAnnotation
from colpo_core.records.colours import FINDINGS
from colpo_core.terms import Finding
from pages._ui.components.scripts import component_script, read_text


@dataclass(frozen=True)
class LayerLook:
    """How a finding's layer is named and drawn.

    Attributes:
        name: What the panel calls it; short.
        title: What a screen reader and a tooltip call it.
        colour: `#rrggbb`.
        is_outline: Whether it encloses other findings, and is drawn as hardly more than its margin.
    """

    name: str
    title: str
    colour: str
    is_outline: bool = False


LAYERS = {
    finding: LayerLook(name, title, FINDINGS[finding], is_outline=finding is Finding.CERVIX)
    for finding, name, title in (
        (Finding.ACETOWHITE, "Acetowhite", "Acetowhite epithelium"),
        (Finding.MOSAIC, "Mosaic", "Mosaic"),
        (Finding.PUNCTATION, "Punctation", "Punctation"),
        (Finding.ATYPICAL_VESSELS, "Vessels", "Atypical vessels"),
        (Finding.SQUAMOCOLUMNAR_JUNCTION, "Junction", "Squamocolumnar junction"),
        (Finding.CERVIX, "Cervix", "Cervix outline"),
    )
}

_editor = st.components.v2.component(
    "colpodesk_mask_editor",
    css=read_text(__file__, "editor.css") + read_text(__file__, "layers.css"),
    js=component_script("mask_editor/main.js", template=read_text(__file__, "editor.html")),
)


@dataclass(frozen=True)
class MaskSubmission:
    """What the person asked to be kept as a version: the document, the sequence on the screen, and the note."""

    document_id: str
    seq: int
    note: str


@dataclass(frozen=True)
class Reference:
    """A mask to look at and not to paint on, such as another annotator's.

    Attributes:
        title: Whose or what it is.
        url: Where the browser finds it: a PNG of the image's size, transparent where nothing is marked.
        colour: `#rrggbb`, the colour of the PNG, for the line that names it.
    """

    title: str
    url: str
    colour: str


def mask_editor(
    key: str,
    layers: Sequence[OpenAnnotation],
    *,
    active: Finding,
    on_submit: Callable[[tuple[MaskSubmission, ...]], None],
    on_active: Callable[[Finding], None] | None = None,
    references: Sequence[Reference] = (),
    load: int = 0,
    answer: int = 0,
    around_px: int = 250,
    submit_text: str = "Submit",
) -> None:
    """Paint the findings of an image. No mask ever comes through here: the browser fetches them and saves every stroke.

    So a rerun cannot feed an old mask to the editor; what it holds is replaced only when other documents are opened.

    Args:
        key: Widget key, unique on the page.
        layers: The person's own masks of one image, one a finding; the keys 1 to 6 pick them in the order of `Finding`.
        active: The finding to paint. The person may pick another one; a new value here picks that.
        on_submit: Called before the page reruns with every layer that differs from its newest version, and with the
            active one where none does. All strokes are saved then.
        on_active: Called with the finding that the person picked, if the page follows it. Without it a pick reruns
            nothing.
        references: Masks to show beside them.
        load: Change it after the server changed one of the masks: the editor takes what is new as one more step, which
            Undo takes back.
        answer: Change it after each submission, successful or not; the editor waits for it.
        around_px: Height of everything else on the page, so that page and editor fit the window together.
        submit_text: What the button says.

    Raises:
        ValueError: The layers are not of one image, or name a finding twice.
    """
    images = {layer.image.id: layer.image for layer in layers}
    by_finding = {layer.finding: layer for layer in layers}
    if len(images) != 1 or len(by_finding) != len(layers):
        raise ValueError("the layers of an editor lie on one image, one a finding")
    (image,) = images.values()

    def submitted() -> None:
        sent = st.session_state[key].get("submitted")
        if sent:
            note = str(sent["note"])
            on_submit(
                tuple(MaskSubmission(str(each["document_id"]), int(each["seq"]), note) for each in sent["documents"])
            )

    def activated() -> None:
        picked = st.session_state[key].get("active")
        if picked and on_active is not None:
            on_active(Finding(picked))

    _editor(
        key=key,
        data={
            "layers": [_layer(by_finding[finding]) for finding in Finding if finding in by_finding],
            "image_url": f"/colpo/images/{image.id}",
            "width_px": image.width_px,
            "height_px": image.height_px,
            "active": active.value,
            "tells_active": on_active is not None,
            "references": [asdict(reference) for reference in references],
            "load": load,
            "answer": answer,
            "around_px": around_px,
            "submit_text": submit_text,
        },
        on_submitted_change=submitted,
        on_active_change=activated,
        width="stretch",
    )


def _layer(annotation: OpenAnnotation) -> dict[str, object]:
    return {
        "finding": annotation.finding.value,
        "document_id": annotation.document_id,
        "next_version": (annotation.version_number or 0) + 1,
        **asdict(LAYERS[annotation.finding]),
    }
