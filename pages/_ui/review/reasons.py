"""Why this call: how reliable such probabilities were, similar labelled cases, and what changes with the mask."""

import pandas as pd
import streamlit as st

from colpo_core.labels import GRADE_NAMES
from colpo_core.records.review.explanations import CallReasons, LikeCase, WhatIfRecord
from colpo_core.records.review.reviews import ReviewDesk
from colpo_core.records.statistics.figures import ReliabilityBin
from colpo_core.records.statistics.number_texts import percent_texts
from colpo_core.services.jobs import control as jobs
from colpo_core.services.review import call_reasons
from colpo_core.terms import Change, Label
from pages._ui.components.viewer import StripItem, image_strip
from pages._ui.review.verdict import has_verdict
from pages._ui.shared.context import PageContext, page_context
from pages._ui.shared.errors import showing_errors
from pages._ui.shared.links import go
from pages._ui.shared.words import FINDINGS

_STRIP = "review_like"
_CHANGES = {
    Change.MASK_EMPTIED: "Fourth channel emptied",
    Change.MASK_OF_EXPERT: "Fourth channel by {whose}",
    Change.COVERED: "{finding} covered, as outlined by {whose}",
}


def show_reasons(ctx: PageContext, desk: ReviewDesk) -> None:
    """Draw what stands behind the call, beside the maps."""
    st.subheader("Why this call")
    with showing_errors():
        reasons = call_reasons.call_reasons(ctx.caller, prediction_id=desk.prediction.id)
        _calibration(reasons)
        _like(reasons)
        _what_if(ctx, desk, reasons)


def _calibration(reasons: CallReasons) -> None:
    st.markdown("**How such probabilities have held**")
    bands = [(name, band) for name, band in (("4", reasons.band_4ch), ("3", reasons.band_3ch)) if band is not None]
    if not bands:
        st.caption("The model card has no calibration curve: nothing is known of how its probabilities have held.")
        return
    st.markdown("  \n".join(_band_text(channels, band) for channels, band in bands))


def _band_text(channels: str, band: ReliabilityBin) -> str:
    images = "of all test images (too few to be told apart by probability)"
    if (band.low, band.high) != (0, 1):
        low, high = percent_texts(band.low, band.high)
        images = f"of the test images with {low} to {high}"
    return f"{channels} channels: {images}, HSIL were {band.observed.text()}."


def _like(reasons: CallReasons) -> None:
    st.markdown("**Labelled cases that look most alike to the 4-channel network**")
    if not reasons.like:
        st.caption(reasons.why_no_like)
        return
    image_strip(
        _STRIP,
        [
            StripItem(case.case_id, f"/colpo/images/{case.image_id}/thumbnail", _like_text(case))
            for case in reasons.like
        ],
        None,
        on_choose=_open_like,
    )
    opened = st.session_state.pop(f"{_STRIP}_opens", None)
    if opened is not None:
        go("cases", case=opened)
    n_hsil = sum(case.label is Label.HSIL for case in reasons.like)
    learned = sum(case.was_learned for case in reasons.like)
    st.caption(
        f"Of other patients, by histology: {n_hsil} of {len(reasons.like)} are HSIL. The number is the likeness of the "
        f"network's features, at most 1. From {learned} of them the model has learned. A click opens the case."
    )


def _open_like(case_id: int) -> None:
    st.session_state[f"{_STRIP}_opens"] = case_id


def _like_text(case: LikeCase) -> str:
    grade = f" ({GRADE_NAMES[case.grade]})" if case.grade else ""
    learned = " · learned" if case.was_learned else ""
    return f"{case.patient_code} · {case.label.value}{grade} · {case.likeness:.2f}{learned}"


def _what_if(ctx: PageContext, desk: ReviewDesk, reasons: CallReasons) -> None:
    st.markdown("**What changes with the mask, and without a finding**")
    if reasons.job_id is not None:
        st.fragment(_wait, run_every=1.0)(reasons.job_id)
        return
    if reasons.failure:
        st.warning(f"It could not be worked out: {reasons.failure}", icon=":material/error:")
    is_judged = has_verdict(ctx, desk)
    shown = [
        what_if for what_if in reasons.what_ifs if is_judged or what_if.annotator_id in (None, ctx.caller.person_id)
    ]
    if shown:
        st.dataframe(_table(ctx, desk, shown), hide_index=True, width="stretch", key="review_what_ifs")
        st.caption(
            "The network's answer to a changed image, at the same thresholds. A place is covered with the colours "
            "around it, and the segmentation is made anew. A large change says that the call rests on what was changed."
        )
    if len(shown) < len(reasons.what_ifs):
        st.caption("What others' masks change opens with your verdict.")
    st.button(
        "Work it out again" if reasons.what_ifs else "Work it out",
        icon=":material/science:",
        key="review_what_if",
        on_click=_start,
        args=(desk.prediction.id,),
        help="Takes some seconds, in the background, with the masks as they are now.",
    )


def _table(ctx: PageContext, desk: ReviewDesk, shown: list[WhatIfRecord]) -> pd.DataFrame:
    prediction = desk.prediction
    rows = [_row("As predicted", prediction.prob_hsil_4ch, prediction.prob_hsil_3ch, desk)]
    for what_if in shown:
        whose = "me" if what_if.annotator_id == ctx.caller.person_id else what_if.annotator or "the model"
        finding = FINDINGS[what_if.finding] if what_if.finding else ""
        title = _CHANGES[what_if.change].format(whose=whose, finding=finding)
        rows.append(_row(title, what_if.prob_hsil_4ch, what_if.prob_hsil_3ch, desk))
    return pd.DataFrame(rows)


def _row(title: str, prob_4ch: float, prob_3ch: float, desk: ReviewDesk) -> dict[str, str]:
    prediction = desk.prediction
    return {
        "": title,
        "HSIL, 4 channels": percent_texts(prob_4ch, prediction.threshold_4ch)[0],
        "Change": f"{100 * (prob_4ch - prediction.prob_hsil_4ch):+.0f}",
        "Calls": _call(prob_4ch, prediction.threshold_4ch),
        "HSIL, 3 channels": percent_texts(prob_3ch, prediction.threshold_3ch)[0],
        "Change ": f"{100 * (prob_3ch - prediction.prob_hsil_3ch):+.0f}",
        "Calls ": _call(prob_3ch, prediction.threshold_3ch),
    }


def _call(prob: float, threshold: float) -> str:
    return Label.called(prob, threshold=threshold).value


@showing_errors()
def _start(prediction_id: int) -> None:
    call_reasons.start_what_ifs(page_context().caller, prediction_id=prediction_id)


def _wait(job_id: int) -> None:
    job = jobs.get_job(page_context().caller, job_id=job_id)
    if job.state.is_over:
        st.rerun()
    waits = "in a moment" if not job.stage else f"{job.epoch} of {job.epochs_total} changes"
    st.progress(job.share, text=f"The model is asked again: {waits}")
