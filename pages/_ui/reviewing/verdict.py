"""A reviewer's verdict on a prediction, and what opens with it: the case's histology and the others' verdicts."""

import streamlit as st

from colpo_core.labels import GRADE_NAMES
from colpo_core.records.checkpoints import ReviewDesk
from colpo_core.services import review
from colpo_core.terms import Verdict
from pages._ui.errors import showing_errors
from pages._ui.here import Here, here
from pages._ui.links import link
from pages._ui.tables import as_when


def has_verdict(person: Here, desk: ReviewDesk) -> bool:
    """Whether the person has judged this prediction: until then nothing shows that would sway her."""
    return any(one.reviewer_id == person.actor.person_id for one in desk.reviews)


def show_verdict(person: Here, desk: ReviewDesk) -> None:
    """Draw my verdict, and the buttons that enter one."""
    mine = next((one for one in desk.reviews if one.reviewer_id == person.actor.person_id), None)
    prediction_id = desk.prediction.id
    with st.container(border=True):
        if mine is not None:
            word = "You agreed" if mine.verdict is Verdict.AGREE else "You overruled"
            st.markdown(f"**{word}.** {mine.reason}")
        st.button(
            "Agree",
            icon=":material/check:",
            shortcut="A",
            type="primary" if mine is None else "secondary",
            on_click=_enter,
            args=(prediction_id, Verdict.AGREE),
            width="stretch",
        )
        reason = st.text_input(
            "Why overrule",
            key=f"reason_{prediction_id}",
            placeholder="Mask covers the reflection, not the lesion",
            max_chars=2000,
        )
        st.button(
            "Overrule",
            icon=":material/close:",
            on_click=_enter,
            args=(prediction_id, Verdict.OVERRULE),
            help=None if reason else "Write the reason first.",
            width="stretch",
        )


def _enter(prediction_id: int, verdict: Verdict) -> None:
    person = here()
    reason = st.session_state.get(f"reason_{prediction_id}", "") if verdict is Verdict.OVERRULE else ""
    with showing_errors():
        review.record_review(
            person.store, actor=person.actor, prediction_id=prediction_id, verdict=verdict, reason=reason
        )
        st.query_params["prediction"] = str(prediction_id)


def show_reference(person: Here, desk: ReviewDesk) -> None:
    """The case's histology: open after my verdict, shut before it, so that it does not sway me."""
    is_judged = has_verdict(person, desk)
    reference = desk.reference
    with st.expander("Histology of the case", icon=":material/biotech:", expanded=is_judged):
        if reference.label is None:
            st.markdown(f"No label: {reference.reason}")
        else:
            grade = f" · {GRADE_NAMES[reference.grade]}" if reference.grade else ""
            st.markdown(f"**{reference.label.value}**{grade}")
            st.caption(reference.reason)
        if reference.flagged:
            st.warning("Needs a clinician's attention.", icon=":material/priority_high:")
        link("cases", "Open the case", icon=":material/folder_shared:", case=desk.prediction.case_id)
    if desk.reviews:
        with st.expander(f"Verdicts ({len(desk.reviews)})", icon=":material/history:"):
            for one in desk.reviews:
                st.markdown(f"{as_when(one.at)} · {one.reviewer} · **{one.verdict.value}** {one.reason}")
