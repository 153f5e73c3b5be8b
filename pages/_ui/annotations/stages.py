"""The case around the image: all its stages side by side, and its form."""

import streamlit as st

from colpo_core.records.annotations import AnnotationDesk
from colpo_core.services.cases.case import get_case
from pages._ui.cases import messages
from pages._ui.cases.chart import show_record
from pages._ui.cases.findings import show_findings
from pages._ui.cases.images import show_with_sites
from pages._ui.cases.specimens import show_label, show_specimens
from pages._ui.components.viewer import Frame, Layer, image_series
from pages._ui.shared.context import PageContext
from pages._ui.shared.links import link
from pages._ui.shared.words import stage_text

_SERIES_PX = 560


def show_stages(desk: AnnotationDesk) -> None:
    """The images of the case side by side; zooming one zooms all."""
    if len(desk.strip) < 2:
        st.info(
            "This case has one image, so there is nothing to compare it with. Import the others of this examination.",
            icon=":material/image:",
        )
        link("cases", "Import images", icon=":material/add_photo_alternate:", tab="import")
        return
    frames = [
        Frame(str(item.image.id), f"/colpo/images/{item.image.id}", stage_text(item.image)) for item in desk.strip
    ]
    image_series("annotate_series", frames, height_px=_SERIES_PX)


def show_photograph(ctx: PageContext, desk: AnnotationDesk, *, around_px: int) -> None:
    """The image with my newest version, to look at while filling in the form."""
    layers = []
    if desk.versions:
        newest = desk.versions[0]
        mask = f"/colpo/annotations/versions/{newest.version_id}/mask.png?colour=cyan"
        layers.append(Layer("My mask", mask, opacity=0.45))
    case = get_case(ctx.caller, case_id=desk.annotation.image.case_id, with_predictions=False)
    show_with_sites("annotate_form_viewer", case, desk.annotation.image.id, layers, around_px=around_px)


def show_form(ctx: PageContext, desk: AnnotationDesk) -> None:
    """Findings, record and histology of the case, as on its own page."""
    case = get_case(ctx.caller, case_id=desk.annotation.image.case_id, with_predictions=False)
    messages.show_message()
    # All three are drawn at once: a tab that is not drawn would forget what was entered and not saved.
    findings, histology, record = st.tabs(
        [":material/checklist: Findings", ":material/biotech: Histology", ":material/description: Record"],
        key="annotate_form_tab",
    )
    with findings:
        show_findings(ctx, case.id)
    with histology:
        show_label(case)
        show_specimens(case, can_place=True)
    with record:
        show_record(case)
