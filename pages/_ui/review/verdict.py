"""A reviewer's verdict on a prediction, and what opens with it: the case's histology and the others' verdicts."""

import streamlit as st

from colpo_core.labels import GRADE_NAMES
from colpo_core.records.review.reviews import ReviewDesk, ReviewRecord
from colpo_core.services.annotations import starts as starting
from colpo_core.services.review import verdicts
from colpo_core.terms import ReviewReason, Verdict
from pages._ui.annotations.actions import SAID
from pages._ui.shared.context import PageContext, page_context
from pages._ui.shared.errors import showing_errors
from pages._ui.shared.formats import as_when
from pages._ui.shared.links import go, link
from pages._ui.shared.markdown import plain

REASONS = {
    ReviewReason.MASK_MISSES: "The mask misses a lesion",
    ReviewReason.MASK_COVERS: "The mask covers something else",
    ReviewReason.CALL: "The call is wrong, whatever the mask",
    ReviewReason.IMAGE_QUALITY: "The image does not show enough",
    ReviewReason.OTHER_FINDING: "Another finding explains it",
    ReviewReason.NOT_DECIDABLE: "It cannot be decided by eye",
}
_MINE = {
    Verdict.AGREE: "You agreed",
    Verdict.OVERRULE: "You overruled",
    Verdict.UNSURE: "You were unsure",
}
_OPENED = "review_opens_editor"


def has_verdict(ctx: PageContext, desk: ReviewDesk) -> bool:
    """Whether the person has judged this prediction; until then nothing is shown that could sway them."""
    return any(review.reviewer_id == ctx.caller.person_id for review in desk.reviews)


def show_verdict(ctx: PageContext, desk: ReviewDesk) -> None:
    """Draw the person's verdict, and the buttons that enter one."""
    mine = next((review for review in desk.reviews if review.reviewer_id == ctx.caller.person_id), None)
    prediction_id = desk.prediction.id
    with st.container(border=True):
        if mine is not None:
            st.markdown(f"**{_MINE[mine.verdict]}.** {plain(reason_text(mine))}")
        st.button(
            "Agree",
            icon=":material/check:",
            shortcut="A",
            type="primary" if mine is None else "secondary",
            on_click=_enter,
            args=(prediction_id, Verdict.AGREE),
            width="stretch",
        )
        st.selectbox(
            "Why not", list(REASONS), index=None, format_func=REASONS.__getitem__, key=f"because_{prediction_id}",
            placeholder="Choose, or write below",
        )  # fmt: skip
        st.text_input(
            "In your own words",
            key=f"reason_{prediction_id}",
            placeholder="Mask covers the reflection, not the lesion",
            max_chars=2000,
        )
        unsure, overrule = st.columns(2)
        for column, title, icon, key, verdict in (
            (unsure, "Unsure", ":material/question_mark:", "U", Verdict.UNSURE),
            (overrule, "Overrule", ":material/close:", "O", Verdict.OVERRULE),
        ):
            column.button(
                title, icon=icon, shortcut=key, on_click=_enter, args=(prediction_id, verdict), width="stretch",
                help="Choose or write why first.",
            )  # fmt: skip
        st.button(
            "Correct the mask", icon=":material/brush:", shortcut="M", on_click=_correct, args=(prediction_id,),
            width="stretch", type="tertiary", key="review_correct",
            help="Opens the editor from the model's mask. What you have painted of this image stays.",
        )  # fmt: skip
    opened = st.session_state.pop(_OPENED, None)
    if opened is not None:
        go("annotate", image=opened)


def reason_text(review_: ReviewRecord) -> str:
    """A reviewer's reason: the one chosen from the list, then their own words."""
    chosen = REASONS[review_.because] if review_.because else ""
    return ". ".join(part for part in (chosen, review_.reason) if part)


def _enter(prediction_id: int, verdict: Verdict) -> None:
    is_agreed = verdict is Verdict.AGREE
    reason = "" if is_agreed else st.session_state.get(f"reason_{prediction_id}", "")
    because = None if is_agreed else st.session_state.get(f"because_{prediction_id}")
    with showing_errors():
        verdicts.record_review(
            page_context().caller,
            prediction_id=prediction_id,
            verdict=verdict,
            reason=reason,
            because=because,
        )
        st.query_params["prediction"] = str(prediction_id)


@showing_errors()
def _correct(prediction_id: int) -> None:
    correction = starting.start_correction(page_context().caller, prediction_id=prediction_id)
    st.session_state[SAID] = (
        ("This is the model's mask: correct it, then submit.", False)
        if correction.has_started
        else ("You have painted this image before, and that is kept. Start from… takes the model's mask.", False)
    )
    st.session_state[_OPENED] = correction.image_id


def show_reference(ctx: PageContext, desk: ReviewDesk) -> None:
    """Draw the case's histology, collapsed until the person's verdict, so that it does not sway them."""
    is_judged = has_verdict(ctx, desk)
    reference = desk.reference
    with st.expander("Histology of the case", icon=":material/biotech:", expanded=is_judged):
        if reference.label is None:
            st.markdown(f"No label: {reference.reason}")
        else:
            grade = f" · {GRADE_NAMES[reference.grade]}" if reference.grade else ""
            st.markdown(f"**{reference.label.value}**{grade}")
            st.caption(reference.reason)
        if reference.flagged:
            st.warning("A clinician has to look at this case.", icon=":material/priority_high:")
        link("cases", "Open the case", icon=":material/folder_shared:", case=desk.prediction.case_id)
    if desk.reviews:
        with st.expander(f"Verdicts ({len(desk.reviews)})", icon=":material/history:"):
            for review in desk.reviews:
                why = plain(reason_text(review))
                st.markdown(f"{as_when(review.at)} · {plain(review.reviewer)} · **{review.verdict.value}** {why}")
