"""Where specimens were taken: drawn on the image, placed by a click, or taken from a biopsy point."""

from dataclasses import dataclass

import streamlit as st

from colpo_core.records.cases.cases import CaseRecord, SpecimenRecord, SpecimenSite
from colpo_core.services.annotations.biopsy_points import biopsy_points
from colpo_core.services.cases.findings_proposal import propose_clock_hour
from colpo_core.services.cases.histology import set_clock_hour, set_site
from pages._ui.cases.messages import button_action
from pages._ui.cases.words import SPECIMENS
from pages._ui.components.viewer import Mark
from pages._ui.shared.context import page_context
from pages._ui.shared.words import GRADE_COLOURS, grade_text, stage_text

_PLACING = "case_placing"


@dataclass(frozen=True)
class SiteChoice:
    """A biopsy point that can serve as a specimen's site."""

    title: str
    site: SpecimenSite


def shown_image_key(case_id: int) -> str:
    """Where the session keeps which of a case's images is shown large."""
    return f"case_image_{case_id}"


def site_choices(case: CaseRecord) -> tuple[SiteChoice, ...]:
    """The biopsy points that the person has set on the images of the case."""
    ctx = page_context()
    return tuple(
        SiteChoice(
            f"Biopsy point {point.position}, {stage_text(image.image)}",
            SpecimenSite(image.image.id, point.x_px, point.y_px),
        )
        for image in case.images
        for point in biopsy_points(ctx.caller, image_id=image.image.id)
    )


def marks_on(case: CaseRecord, image_id: int) -> list[Mark]:
    """The sites on one image: each with its specimen's number, in its grade's colour."""
    return [
        Mark(
            label=str(specimen.number),
            title=f"Specimen {specimen.number}: {SPECIMENS[specimen.kind]}, {grade_text(specimen.grade)}",
            x_px=specimen.site.x_px,
            y_px=specimen.site.y_px,
            colour=GRADE_COLOURS[specimen.grade],
        )
        for specimen in case.specimens
        if specimen.site is not None and specimen.site.image_id == image_id and specimen.withdrawn_at is None
    ]


def popover_key(specimen_id: int) -> str:
    """Where the session keeps whether the choice of a specimen's site is open."""
    return f"site_{specimen_id}_open"


def start_placing(specimen_id: int) -> None:
    """Let the next click on the image set this specimen's site."""
    st.session_state[_PLACING] = specimen_id
    st.session_state[popover_key(specimen_id)] = False  # else it would lie over the image and take its keys
    st.session_state["case_compare"] = False  # the point is set on one image


def stop_placing() -> None:
    """Stop placing a site: a click on the image sets nothing any more."""
    st.session_state.pop(_PLACING, None)


def being_placed(case: CaseRecord) -> SpecimenRecord | None:
    """The specimen of this case whose site waits for a click."""
    wanted = st.session_state.get(_PLACING)
    waiting = next(
        (specimen for specimen in case.specimens if specimen.id == wanted and specimen.withdrawn_at is None), None
    )
    if waiting is None:
        stop_placing()
    return waiting


@button_action
def put(specimen_id: int, site: SpecimenSite | None) -> str:
    """Set a specimen's site, in a callback."""
    set_site(page_context().caller, specimen_id=specimen_id, site=site)
    stop_placing()
    st.session_state[popover_key(specimen_id)] = False
    return "Site set" if site else "Site removed"


def proposed_hour(specimen: SpecimenRecord) -> int | None:
    """The hour that the site proposes, where it differs from what is entered."""
    if specimen.site is None or specimen.withdrawn_at is not None:
        return None
    hour = propose_clock_hour(page_context().caller, site=specimen.site)
    return hour if hour != specimen.clock_hour else None


@button_action
def confirm_hour(specimen_id: int, hour: int) -> str:
    """Enter the proposed hour, in a callback."""
    set_clock_hour(page_context().caller, specimen_id=specimen_id, clock_hour=hour)
    return f"Clock position {hour} entered"
