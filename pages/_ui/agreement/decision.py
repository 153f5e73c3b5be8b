"""One image with everybody's mask in a colour of its own, and the decision which mask counts."""

from functools import partial
from html import escape

import streamlit as st

from colpo_core.records.agreement import ImageAgreement
from colpo_core.records.annotations import VersionRecord
from colpo_core.records.colours import OVERLAYS
from colpo_core.services.annotations.own_masks import open_annotation
from colpo_core.terms import Combination
from pages._ui.agreement import actions as deeds
from pages._ui.agreement.words import COMBINATION_HELP, COMBINATIONS, decision_text, distance_text
from pages._ui.annotations.mask_questions import ask_questions
from pages._ui.annotations.words import made_text
from pages._ui.components.mask_editor import Reference, mask_editor
from pages._ui.components.viewer import Layer, image_viewer
from pages._ui.shared.context import PageContext
from pages._ui.shared.links import link
from pages._ui.shared.markdown import plain
from pages._ui.shared.messages import say_what_happened
from pages._ui.shared.theme import STAYS
from pages._ui.shared.words import FINDINGS, area_text, colour_name, stage_text

_AROUND_VIEWER_PX, _LAYER_ROW_PX = 180, 27  # layers stand two in a row
_AROUND_EDITOR_PX = 280


def show_image(ctx: PageContext, found: ImageAgreement, next_image_id: int | None) -> None:
    """Draw the image, the figures of each pair and the ways to decide."""
    _head(found, next_image_id)
    say_what_happened(deeds.SAID)
    if found.may_adjudicate and st.session_state.get(deeds.painting_key(found.image.id, found.finding)):
        _show_editor(ctx, found)
        return
    main, side = st.columns([2.4, 1], gap="medium")
    with main, st.container(key=STAYS):
        image_viewer(
            "agreement_viewer",
            f"/colpo/images/{found.image.id}",
            _layers(found),
            around_px=_AROUND_VIEWER_PX + _LAYER_ROW_PX * -(-(len(found.versions) + 2) // 2),
        )
    with side:
        _decision(found)
        if found.may_adjudicate:
            st.text_input(
                "Why (kept with the decision)",
                key=deeds.note_key(found.image.id),
                max_chars=500,
                placeholder="Optional; write it before you press Take",
            )
        for place, version in enumerate(found.versions):
            _annotator(ctx, found, version, colour_name(place))
        _pairs(found)
        if found.may_adjudicate:
            _ways(ctx, found)
        elif found.why_not:
            st.caption(plain(found.why_not))


def _head(found: ImageAgreement, next_image_id: int | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.header(f"{found.patient_code} · {stage_text(found.image)}", anchor=False, width="content")
        st.caption(FINDINGS[found.finding], width="content")
        st.space("stretch")
        link("cases", "Case", icon=":material/folder_shared:", case=found.case_id)
        st.button("Overview", icon=":material/arrow_back:", on_click=deeds.back)
        if next_image_id is not None:
            st.button(
                "Next to decide",
                icon=":material/arrow_forward:",
                shortcut="n",
                on_click=deeds.open_image,
                args=(next_image_id,),
            )


def _layers(found: ImageAgreement) -> list[Layer]:
    layers = [
        Layer(
            version.author,
            f"/colpo/annotations/versions/{version.version_id}/mask.png?colour={colour_name(place)}",
            opacity=0.45,
        )
        for place, version in enumerate(found.versions)
    ]
    decided = found.adjudication
    if decided is not None and decided.version_id not in {version.version_id for version in found.versions}:
        layers.append(
            Layer("Decided", f"/colpo/annotations/versions/{decided.version_id}/mask.png?colour=cyan", opacity=0.45)
        )
    if len(found.versions) > 1:
        ids = ",".join(str(version.version_id) for version in found.versions)
        layers.append(
            Layer(
                "Majority of all",
                f"/colpo/agreement/{found.image.id}/{found.finding}/{Combination.MAJORITY}.png?versions={ids}",
                visible=False,
            )
        )
    return layers


def _decision(found: ImageAgreement) -> None:
    decision = found.adjudication
    if decision is None:
        st.badge("Not decided", icon=":material/help:", color="gray")
    else:
        st.badge("Decided", icon=":material/gavel:", color="green")
        st.markdown(plain(decision_text(decision)))
        if decision.note:
            st.caption(plain(decision.note))
        if not decision.is_current:
            st.warning("Somebody has submitted another mask since. Look again.", icon=":material/update:")
    if found.n_hidden:
        st.info(
            f"{found.n_hidden} more mask{'s are' if found.n_hidden > 1 else ' is'} hidden from you until everybody in "
            "the blind task is done.",
            icon=":material/visibility_off:",
        )


def _annotator(ctx: PageContext, found: ImageAgreement, version: VersionRecord, colour: str) -> None:
    with st.container(border=True):
        name, action = st.columns([2.2, 1], vertical_alignment="center")
        name.html(
            f'<span style="display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.5em;'
            f'background:{OVERLAYS[colour]};border:1px solid #0006"></span><b>{escape(version.author)}</b>'
        )
        name.caption(" · ".join(filter(None, (area_text(version.area_share), made_text(version, {}), version.note))))
        decided = found.adjudication
        if decided is not None and decided.is_current and decided.version_id == version.version_id:
            action.markdown(":green[:material/gavel: **Counts**]")
        elif found.may_adjudicate:
            action.button(
                "Take",
                key=f"take_{version.version_id}",
                help="This mask counts as it is",
                width="stretch",
                on_click=deeds.take,
                args=(ctx, version.version_id, found.image.id),
            )


def _pairs(found: ImageAgreement) -> None:
    if not found.pairs:
        return
    with st.container(gap="xsmall"):
        for pair in found.pairs:
            figures = pair.figures
            st.markdown(
                f"{plain(pair.first)} and {plain(pair.second)}  \n"
                f":small[:gray[Dice] {figures.dice:.2f} · :gray[IoU] {figures.iou:.2f} · "
                f":gray[95% Hausdorff] {distance_text(figures.hd95_px)}]"
            )


def _ways(ctx: PageContext, found: ImageAgreement) -> None:
    """Combine several, or paint."""
    st.markdown("**Or mix them, and correct the mix**")
    ids = tuple(version.version_id for version in found.versions)
    if len(ids) > 1:
        names = {version.version_id: version.author for version in found.versions}
        with st.container(horizontal=True, gap="small"):
            chosen = [one for one in ids if st.checkbox(plain(names[one]), value=True, key=f"mix_{one}")]
        for pair in (list(COMBINATIONS)[:2], list(COMBINATIONS)[2:]):
            for place, combination in zip(st.columns(2), pair, strict=True):
                place.button(
                    COMBINATIONS[combination],
                    key=f"combine_{combination}",
                    help=COMBINATION_HELP[combination],
                    disabled=len(chosen) < 2,
                    width="stretch",
                    on_click=deeds.combine,
                    args=(ctx, found.image.id, found.finding, combination, tuple(chosen)),
                )
    st.button(
        "Paint it myself",
        icon=":material/brush:",
        shortcut="p",
        width="stretch",
        on_click=deeds.open_editor,
        args=(found.image.id, found.finding),
    )


def _show_editor(ctx: PageContext, found: ImageAgreement) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Back to the masks",
            icon=":material/undo:",
            help="What you painted stays as your draft",
            on_click=deeds.close_editor,
            args=(found.image.id, found.finding),
        )
        st.caption("Correct what has to be corrected, then press Adjudicate. The others' masks can be hidden.")
    draft = open_annotation(ctx.caller, image_id=found.image.id, finding=found.finding)
    ask_questions(
        deeds.QUESTIONS,
        {draft.document_id},
        on_sure=partial(deeds.adjudicate_as_it_is, ctx, found.image.id, found.finding),
        on_fill=partial(deeds.fill, ctx),
    )
    mask_editor(
        "agreement_editor",
        (draft,),
        active=found.finding,
        on_submit=partial(deeds.adjudicate, ctx, found.image.id, found.finding),
        references=[
            Reference(
                version.author,
                f"/colpo/annotations/versions/{version.version_id}/mask.png?colour={colour_name(place)}",
                OVERLAYS[colour_name(place)],
            )
            for place, version in enumerate(found.versions)
        ],
        load=deeds.counter("load"),
        answer=deeds.counter("answer"),
        around_px=_AROUND_EDITOR_PX,
        submit_text="Adjudicate",
    )
