"""A case's images: one large with its masks, the others small, and what can be done with the large one."""

from collections.abc import Sequence

import streamlit as st

from colpo_core.records.cases.cases import CaseImage, CaseRecord, SpecimenSite
from colpo_core.records.cases.images import place_in_series
from colpo_core.services.common.stored_images import mark_image
from colpo_core.terms import AnnotationState, Finding, Stage
from pages._ui.cases import sites
from pages._ui.cases.messages import button_action
from pages._ui.components.viewer import Frame, Layer, StripItem, image_series, image_strip, image_viewer
from pages._ui.shared.context import page_context
from pages._ui.shared.links import go
from pages._ui.shared.words import FINDINGS, STAGES, STATES, stage_text

_HEIGHT_PX = 400
_COMPARED_HEIGHT_PX = 400
_COMPARE = "case_compare"


def show_images(case: CaseRecord) -> None:
    """Draw the images by stage, the chosen one large."""
    if not case.images:
        st.info("This case has no image yet. Import some for its patient and day.", icon=":material/image:")
        return
    images = sorted(
        case.images,
        key=lambda image: place_in_series(image.image.stage, image.image.seconds_after_acid, image.image.id),
    )
    if len(images) > 1:
        st.toggle(
            "Compare stages", key=_COMPARE, help="All images side by side: zooming or moving one moves all",
            on_change=sites.stop_placing,
        )  # fmt: skip
        if st.session_state[_COMPARE]:
            _compare(images)
            return
    shown = _chosen(case, images)
    show_with_sites("case_viewer", case, shown.image.id, _layers(shown))
    _actions(shown)
    if len(images) > 1:
        _strip(case, images, shown)


def _compare(images: list[CaseImage]) -> None:
    frames = [
        Frame(str(image.image.id), f"/colpo/images/{image.image.id}", stage_text(image.image)) for image in images
    ]
    image_series("case_series", frames, height_px=_COMPARED_HEIGHT_PX)


def show_with_sites(
    key: str,
    case: CaseRecord,
    image_id: int,
    layers: Sequence[Layer],
    *,
    around_px: int | None = None,
) -> None:
    """Draw an image of a case with the sites of its specimens, and take a site that waits for a click.

    Args:
        key: Widget key, unique on the page.
        case: The case.
        image_id: Which of its images.
        layers: Overlays, the lowest first.
        around_px: Height of everything else on the page, see `image_viewer`.
    """
    waiting = sites.being_placed(case)

    def set_site(x_px: float, y_px: float) -> None:
        if waiting is not None:
            sites.put(waiting.id, SpecimenSite(image_id, x_px, y_px))

    image_viewer(
        key,
        f"/colpo/images/{image_id}",
        layers,
        height_px=_HEIGHT_PX,
        around_px=around_px,
        marks=sites.marks_on(case, image_id),
        asks_for=f"Site of specimen {waiting.number}" if waiting else "",
        on_place=set_site,
        on_leave=sites.stop_placing,
    )


def _chosen(case: CaseRecord, images: list[CaseImage]) -> CaseImage:
    """The image that was clicked, else the first with acetic acid."""
    wanted = st.session_state.get(sites.shown_image_key(case.id))
    by_wish = next((image for image in images if image.image.id == wanted), None)
    acetic = next((image for image in images if image.image.is_readable), None)
    return by_wish or acetic or images[0]


def _layers(shown: CaseImage) -> list[Layer]:
    layers = []
    for annotation in shown.annotations:
        if annotation.version_id is None or annotation.state is AnnotationState.REJECTED:
            continue
        is_waiting = annotation.state is AnnotationState.TO_CONFIRM
        word, colour = (" (to confirm)", "cyan") if is_waiting else ("", "amber")
        layers.append(
            Layer(
                f"{FINDINGS[annotation.finding]}, {annotation.annotator}{word}",
                f"/colpo/annotations/versions/{annotation.version_id}/mask.png?colour={colour}",
                visible=annotation.finding is Finding.ACETOWHITE,
                opacity=0.45,
            )
        )
    return layers


def _actions(shown: CaseImage) -> None:
    image = shown.image
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{stage_text(image)}** · {_state(shown)}", width="stretch")
        if not image.shows_cervix:
            st.badge("No cervix: left out of learning", icon=":material/block:", color="gray")
        if st.button("Annotate", icon=":material/brush:", shortcut="A", type="primary"):
            go("annotate", image=image.id)
        if st.button(
            "Review", icon=":material/fact_check:", shortcut="V", disabled=shown.prediction_id is None,
            help=None if shown.prediction_id else "The current model has not predicted this image yet.",
        ):  # fmt: skip
            go("review", prediction=shown.prediction_id)
        with st.popover("", icon=":material/edit:", help="Correct the stage, or say that it does not show the cervix"):
            _correction(shown)


def _state(shown: CaseImage) -> str:
    if not shown.annotations:
        return "no annotation yet"
    states = [STATES[annotation.state] for annotation in shown.annotations]
    return "annotation " + ", ".join(dict.fromkeys(states))


def _correction(shown: CaseImage) -> None:
    image = shown.image
    stages = list(Stage)
    key = f"mark_{image.id}_{image.stage}_{image.seconds_after_acid}_{image.shows_cervix}"
    st.selectbox("Stage", stages, index=stages.index(image.stage), format_func=STAGES.__getitem__, key=f"{key}_stage")
    if st.session_state[f"{key}_stage"] is Stage.ACETIC_ACID:
        st.number_input(
            "Seconds after acetic acid", 0, 3600, image.seconds_after_acid, key=f"{key}_seconds", placeholder="unknown"
        )
    st.toggle("Shows the cervix", value=image.shows_cervix, key=f"{key}_cervix")
    st.caption("An image that does not show the cervix stays, and is left out of snapshots.")
    st.button("Save", type="primary", key=f"{key}_save", on_click=_mark, args=(image.id, key))


@button_action
def _mark(image_id: int, key: str) -> str:
    mark_image(
        page_context().caller,
        image_id=image_id,
        stage=st.session_state[f"{key}_stage"],
        shows_cervix=st.session_state[f"{key}_cervix"],
        seconds_after_acid=st.session_state.get(f"{key}_seconds"),
    )
    return "Corrected"


def _strip(case: CaseRecord, images: list[CaseImage], shown: CaseImage) -> None:
    items = [
        StripItem(
            image.image.id,
            f"/colpo/images/{image.image.id}/thumbnail",
            stage_text(image.image),
            "no cervix" if not image.image.shows_cervix else "",
        )
        for image in images
    ]

    def choose(image_id: int) -> None:
        st.session_state[sites.shown_image_key(case.id)] = image_id

    image_strip("case_strip", items, shown.image.id, on_choose=choose)
