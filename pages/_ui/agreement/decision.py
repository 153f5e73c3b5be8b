"""One image with everybody's mask in a colour of its own, and the decision which mask counts."""

from functools import partial
from html import escape

import streamlit as st

from colpo_core.records.agreement import ImageAgreement
from colpo_core.records.annotations import VersionRecord
from colpo_core.records.colours import OVERLAYS
from colpo_core.services.annotations.own_masks import open_annotation
from colpo_core.terms import Combination
from pages._ui.agreement import actions
from pages._ui.agreement.words import COMBINATION_HELP, COMBINATIONS, decision_text, distance_text
from pages._ui.annotations.mask_questions import ask_questions
from pages._ui.annotations.words import made_text
from pages._ui.components.mask_editor import Reference, mask_editor
from pages._ui.components.viewer import Layer, image_viewer
from pages._ui.shared.context import PageContext
from pages._ui.shared.links import link
from pages._ui.shared.markdown import plain
from pages._ui.shared.messages import show_message
from pages._ui.shared.theme import STAYS
from pages._ui.shared.words import FINDINGS, area_text, colour_name, stage_text

_AROUND_VIEWER_PX, _LAYER_ROW_PX = 180, 27  # layers stand two in a row
_AROUND_EDITOR_PX = 280


def show_image(ctx: PageContext, agreement: ImageAgreement, next_image_id: int | None) -> None:
    """Draw the image, the figures of each pair and the ways to decide."""
    _head(agreement, next_image_id)
    show_message(actions.SAID)
    if agreement.may_adjudicate and st.session_state.get(actions.painting_key(agreement.image.id, agreement.finding)):
        _show_editor(ctx, agreement)
        return
    main, side = st.columns([2.4, 1], gap="medium")
    with main, st.container(key=STAYS):
        image_viewer(
            "agreement_viewer",
            f"/colpo/images/{agreement.image.id}",
            _layers(agreement),
            around_px=_AROUND_VIEWER_PX + _LAYER_ROW_PX * -(-(len(agreement.versions) + 2) // 2),
        )
    with side:
        _decision(agreement)
        if agreement.may_adjudicate:
            st.text_input(
                "Why (kept with the decision)",
                key=actions.note_key(agreement.image.id),
                max_chars=500,
                placeholder="Optional; write it before you press Take",
            )
        for index, version in enumerate(agreement.versions):
            _annotator(ctx, agreement, version, colour_name(index))
        _pairs(agreement)
        if agreement.may_adjudicate:
            _ways(ctx, agreement)
        elif agreement.why_not:
            st.caption(plain(agreement.why_not))


def _head(agreement: ImageAgreement, next_image_id: int | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.header(f"{agreement.patient_code} · {stage_text(agreement.image)}", anchor=False, width="content")
        st.caption(FINDINGS[agreement.finding], width="content")
        st.space("stretch")
        link("cases", "Case", icon=":material/folder_shared:", case=agreement.case_id)
        st.button("Overview", icon=":material/arrow_back:", on_click=actions.back)
        if next_image_id is not None:
            st.button(
                "Next to decide",
                icon=":material/arrow_forward:",
                shortcut="n",
                on_click=actions.open_image,
                args=(next_image_id,),
            )


def _layers(agreement: ImageAgreement) -> list[Layer]:
    layers = [
        Layer(
            version.author,
            f"/colpo/annotations/versions/{version.version_id}/mask.png?colour={colour_name(index)}",
            opacity=0.45,
        )
        for index, version in enumerate(agreement.versions)
    ]
    decided = agreement.adjudication
    if decided is not None and decided.version_id not in {version.version_id for version in agreement.versions}:
        layers.append(
            Layer("Decided", f"/colpo/annotations/versions/{decided.version_id}/mask.png?colour=cyan", opacity=0.45)
        )
    if len(agreement.versions) > 1:
        ids = ",".join(str(version.version_id) for version in agreement.versions)
        layers.append(
            Layer(
                "Majority of all",
                f"/colpo/agreement/{agreement.image.id}/{agreement.finding}/{Combination.MAJORITY}.png?versions={ids}",
                visible=False,
            )
        )
    return layers


def _decision(agreement: ImageAgreement) -> None:
    decision = agreement.adjudication
    if decision is None:
        st.badge("Not decided", icon=":material/help:", color="gray")
    else:
        st.badge("Decided", icon=":material/gavel:", color="green")
        st.markdown(plain(decision_text(decision)))
        if decision.note:
            st.caption(plain(decision.note))
        if not decision.is_current:
            st.warning("Somebody has submitted another mask since. Look again.", icon=":material/update:")
    if agreement.n_hidden:
        st.info(
            f"{agreement.n_hidden} more mask{'s are' if agreement.n_hidden > 1 else ' is'} hidden from you until "
            "everybody in the blind task is done.",
            icon=":material/visibility_off:",
        )


def _annotator(ctx: PageContext, agreement: ImageAgreement, version: VersionRecord, colour: str) -> None:
    with st.container(border=True):
        name, action = st.columns([2.2, 1], vertical_alignment="center")
        name.html(
            f'<span style="display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.5em;'
            f'background:{OVERLAYS[colour]};border:1px solid #0006"></span><b>{escape(version.author)}</b>'
        )
        name.caption(" · ".join(filter(None, (area_text(version.area_share), made_text(version, {}), version.note))))
        decided = agreement.adjudication
        if decided is not None and decided.is_current and decided.version_id == version.version_id:
            action.markdown(":green[:material/gavel: **Counts**]")
        elif agreement.may_adjudicate:
            action.button(
                "Take",
                key=f"take_{version.version_id}",
                help="This mask counts as it is",
                width="stretch",
                on_click=actions.take,
                args=(ctx, version.version_id, agreement.image.id),
            )


def _pairs(agreement: ImageAgreement) -> None:
    if not agreement.pairs:
        return
    with st.container(gap="xsmall"):
        for pair in agreement.pairs:
            figures = pair.figures
            st.markdown(
                f"{plain(pair.first)} and {plain(pair.second)}  \n"
                f":small[:gray[Dice] {figures.dice:.2f} · :gray[IoU] {figures.iou:.2f} · "
                f":gray[95% Hausdorff] {distance_text(figures.hd95_px)}]"
            )


def _ways(ctx: PageContext, agreement: ImageAgreement) -> None:
    """Combine several, or paint."""
    st.markdown("**Or mix them, and correct the mix**")
    ids = tuple(version.version_id for version in agreement.versions)
    if len(ids) > 1:
        names = {version.version_id: version.author for version in agreement.versions}
        with st.container(horizontal=True, gap="small"):
            chosen = [key for key in ids if st.checkbox(plain(names[key]), value=True, key=f"mix_{key}")]
        for pair in (list(COMBINATIONS)[:2], list(COMBINATIONS)[2:]):
            for column, combination in zip(st.columns(2), pair, strict=True):
                column.button(
                    COMBINATIONS[combination],
                    key=f"combine_{combination}",
                    help=COMBINATION_HELP[combination],
                    disabled=len(chosen) < 2,
                    width="stretch",
                    on_click=actions.combine,
                    args=(ctx, agreement.image.id, agreement.finding, combination, tuple(chosen)),
                )
    st.button(
        "Paint it myself",
        icon=":material/brush:",
        shortcut="p",
        width="stretch",
        on_click=actions.open_editor,
        args=(agreement.image.id, agreement.finding),
    )


def _show_editor(ctx: PageContext, agreement: ImageAgreement) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Back to the masks",
            icon=":material/undo:",
            help="What you painted stays as your draft",
            on_click=actions.close_editor,
            args=(agreement.image.id, agreement.finding),
        )
        st.caption("Correct what has to be corrected, then press Adjudicate. The others' masks can be hidden.")
    draft = open_annotation(ctx.caller, image_id=agreement.image.id, finding=agreement.finding)
    ask_questions(
        actions.QUESTIONS,
        {draft.document_id},
        on_sure=partial(actions.adjudicate_as_it_is, ctx, agreement.image.id, agreement.finding),
        on_fill=partial(actions.fill, ctx),
    )
    mask_editor(
        "agreement_editor",
        (draft,),
        active=agreement.finding,
        on_submit=partial(actions.adjudicate, ctx, agreement.image.id, agreement.finding),
        references=[
            Reference(
                version.author,
                f"/colpo/annotations/versions/{version.version_id}/mask.png?colour={colour_name(index)}",
                OVERLAYS[colour_name(index)],
            )
            for index, version in enumerate(agreement.versions)
        ],
        load=actions.counter("load"),
        answer=actions.counter("answer"),
        around_px=_AROUND_EDITOR_PX,
        submit_text="Adjudicate",
    )
