"""The part of a study's form about how it is read and what it is to show."""

from collections.abc import Sequence
from operator import attrgetter

import streamlit as st

from colpo_core.records.statistics.reader_figures import Endpoint
from colpo_core.records.studies.designs import Option
from colpo_core.records.studies.reading_plans import MOST_REPEATED, MOST_SESSIONS, Aid, ConfidenceScale, ReadingPlan
from colpo_core.studies.case_numbers import parse_case_numbers
from colpo_core.terms import ExposureRule
from pages._ui.shared.errors import showing_errors
from pages._ui.shared.markdown import plain

_NAME = attrgetter("name")
_SCALES = {ConfidenceScale.PERCENT: "0 to 100", ConfidenceScale.FIVE_STEPS: "Five steps"}
_RULES = {ExposureRule.EXCLUDE: "Is not given to that reader", ExposureRule.FLAG: "Is given and flagged"}
_AIDS = {
    Aid.NONE: "Not shown",
    Aid.AFTER_FIRST_CALL: "Shown after a first call, which is locked; then a second call",
    Aid.AT_ONCE: "Shown at once, on half of the readings",
}
_ENDPOINTS = {
    Endpoint.AUC: "AUC",
    Endpoint.ACCURACY: "Accuracy",
    Endpoint.SENSITIVITY: "Sensitivity",
    Endpoint.SPECIFICITY: "Specificity",
}


def plan_form(checkpoints: Sequence[Option]) -> tuple[ReadingPlan, tuple[int, ...]]:
    """Draw the fields.

    Args:
        checkpoints: Those that are compared with the readers; one of them may aid them.

    Returns:
        The plan and the numbers of the practice cases.
    """
    with st.expander("Sessions, repeats and practice", icon=":material/event_repeat:"):
        left, right = st.columns(2)
        n_sessions = left.number_input("Sessions a reader", 1, MOST_SESSIONS, 1, key="study_sessions")
        washout = right.number_input(
            "Days between sessions", 0, 3650, 28, key="study_washout", disabled=n_sessions == 1,
            help="Counted from a reader's last answer; the next session does not open before.",
        )  # fmt: skip
        repeats = st.slider(
            "Hidden repeats (percent of the cases)", 0, int(100 * MOST_REPEATED), 0, 5, key="study_repeats",
            help="Shown a second time in each session, far apart, for the agreement of a reader with themselves.",
        )  # fmt: skip
        text = st.text_input(
            "Practice cases", key="study_practice", placeholder="1, 2, 4-6",
            help="Read first, with feedback. They are taken out of the study's cases and never analysed.",
        )  # fmt: skip
        practice: tuple[int, ...] = ()
        with showing_errors():
            practice = parse_case_numbers(text)
        scale = st.segmented_control(
            "Confidence", list(_SCALES), format_func=_SCALES.__getitem__, default=ConfidenceScale.PERCENT,
            required=True, key="study_confidence",
        )  # fmt: skip
        points = st.toggle("Readers may set biopsy sites as points", key="study_points")
        findings = st.toggle("Readers may name findings", key="study_findings")
        stages = st.toggle(
            "Readers may look at the case's other images", key="study_stages",
            help="Such as before acetic acid or with iodine. They are sealed with the study.",
        )  # fmt: skip
    with st.expander("Endpoint and hypotheses", icon=":material/flag:"):
        endpoint = st.selectbox(
            "Primary endpoint", list(_ENDPOINTS), format_func=_ENDPOINTS.__getitem__, key="study_endpoint"
        )
        left, right = st.columns(2)
        margin = left.number_input(
            "Margin of non-inferiority", 0.001, 0.999, None, 0.01, format="%.3f", key="study_margin",
            placeholder="none",
        )  # fmt: skip
        alpha = right.number_input("Alpha (two-sided)", 0.001, 0.999, 0.05, 0.01, format="%.3f", key="study_alpha")
        hypotheses = st.text_area("Hypotheses", key="study_hypotheses", help="Sealed before the first reading.")
    aid, aid_checkpoint_id, crossover = _aid(checkpoints)
    exposed, interim = _conduct()
    plan = ReadingPlan(
        n_sessions=int(n_sessions), washout_days=int(washout), repeat_share=repeats / 100, confidence=scale,
        endpoint=endpoint, margin=margin, alpha=alpha, hypotheses=hypotheses.strip(), exposed=exposed,
        interim_results=interim, aid=aid, aid_checkpoint_id=aid_checkpoint_id, asks_points=points,
        asks_findings=findings, shows_stages=stages, crossover=crossover,
    )  # fmt: skip
    return plan, practice


def _aid(checkpoints: Sequence[Option]) -> tuple[Aid, int | None, bool]:
    with st.expander("Reading with the model's output", icon=":material/assistant:"):
        aid = st.radio(
            "Mask, probability and Grad-CAM of a checkpoint", list(_AIDS), format_func=_AIDS.__getitem__,
            key="study_aid",
        )  # fmt: skip
        if aid is Aid.NONE:
            return aid, None, True
        crossover = aid is not Aid.AT_ONCE or st.toggle(
            "Crossover: half of the cases in each session", value=True, key="study_crossover",
            help="An even number of sessions. Without it a session is aided as a whole, in turns from two sessions on; "
            "half of the readers begin aided.",
        )  # fmt: skip
        if not checkpoints:
            st.info("Choose a checkpoint to compare with first; one of them aids the readers.", icon=":material/info:")
            return aid, None, crossover
        chosen = st.selectbox("Checkpoint that aids", checkpoints, format_func=_NAME, key="study_aid_checkpoint")
        st.caption(
            "It must have predicted every case and have learned from none of them nor their patients. The primary "
            "endpoint then compares reading with it and without it."
        )
    return aid, chosen.id, crossover


def _conduct() -> tuple[ExposureRule, bool]:
    with st.expander("Exposures and interim results", icon=":material/visibility_off:"):
        rule = st.radio(
            "A case of which a reader has seen the label, histology, prediction or a mask, or which a reader annotated",
            list(_RULES), format_func=_RULES.__getitem__, key="study_exposed",
        )  # fmt: skip
        interim = st.toggle(
            "Results may be seen before the study is closed", key="study_interim",
            help="Sealed with the design, and printed with the results, as is each look.",
        )  # fmt: skip
    return rule, interim


def plan_words(plan: ReadingPlan, n_practice: int) -> None:
    """Say how a study is read."""
    for sentence in plan.sentences(n_practice):
        st.caption(plain(sentence))
