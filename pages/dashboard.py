"""Dashboard: the cohort in figures, and how the current model agrees with the labels and with its reviewers."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from colpo_core.records.checkpoints import ReviewAgreement, label_source_text
from colpo_core.records.overview import Acquaintance, Dashboard, ModelAgreement, ModelFigures
from colpo_core.services.overview import dashboard
from colpo_core.terms import AnnotationState, Grade, Label, LabelSource
from pages._ui.annotating.words import STAGES
from pages._ui.badges import impression_badge, simulated_badge
from pages._ui.casework.words import LABELS, STATES, grade_text
from pages._ui.charts import AMBER, GREY, RED, TEAL, bar_chart, config, confusion_chart
from pages._ui.errors import showing_errors
from pages._ui.here import here
from pages._ui.links import link
from pages._ui.plain import plain

_LABEL_COLOURS = {Label.NORMAL: TEAL, Label.HSIL: RED, None: GREY}
_STATE_COLOURS = {AnnotationState.SUBMITTED: TEAL, AnnotationState.TO_CONFIRM: AMBER}
_HIGH = (Grade.CIN2, Grade.CIN3)
_BEYOND = (Grade.ADENOCARCINOMA_IN_SITU, Grade.INVASIVE_CARCINOMA)
_MET = {
    Acquaintance.UNSEEN: (
        "Cases it had not met",
        "Patients outside its training and validation: its snapshot's test side, and whoever came in since.",
    ),
    Acquaintance.SEEN: (
        "Cases it was trained on",
        "Patients on the training or validation side of its snapshot. These figures flatter it: never quote them.",
    ),
}


def render() -> None:
    """Draw the page."""
    person = here()
    with showing_errors():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.title("Dashboard", width="content")
            st.space("stretch")
            include = st.toggle("Include simulated cases", value=True, key="dashboard_simulated")
        with st.spinner("Counting …"):
            found = dashboard(person.store, actor=person.actor, include_simulated=include)
        if not found.cases:
            _empty(include)
            return
        _totals(found)
        _cohort(found)
        _model(found)


def _empty(include: bool) -> None:
    if include:
        st.info("There is no case to count yet.", icon=":material/monitoring:")
        link("cases", "Import images", icon=":material/add_photo_alternate:", tab="import")
    else:
        st.info("All cases are simulated: there is nothing else to count.", icon=":material/science:")


def _totals(found: Dashboard) -> None:
    labelled = sum(count for label, count in found.labels if label is not None)
    submitted = dict(found.annotation_states)[AnnotationState.SUBMITTED]
    totals = (
        ("Patients", found.patients),
        ("Cases", found.cases),
        ("Images", found.images),
        ("Cases with a label", labelled),
        ("Annotations submitted", submitted),
    )
    for place, (title, count) in zip(st.columns(len(totals)), totals, strict=True):
        place.metric(title, f"{count:,}", border=True)
    if found.simulated_cases:
        with st.container(horizontal=True, vertical_alignment="center"):
            simulated_badge()
            st.caption(f"{found.simulated_cases} of {found.cases} cases counted here were drawn by the program.")


def _cohort(found: Dashboard) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        _bars(
            f"Cases per grade (n = {found.cases:,})",
            [(_grade(grade), count, _colour(grade)) for grade, count in found.grades],
            "Highest grade of all specimens that count. Red: called HSIL; amber: flagged, in no comparison.",
            key="grades",
        )
    with right:
        _bars(
            f"Cases per label (n = {found.cases:,})",
            [(LABELS[label], count, _LABEL_COLOURS[label]) for label, count in found.labels],
            "By histology, or by a colposcopy recorded as normal without biopsy. Impressions are not counted here.",
            key="labels",
        )
        _exclusions(found)
    left, right = st.columns(2, gap="large")
    with left:
        states = [
            (STATES[state].capitalize(), count, _STATE_COLOURS.get(state, GREY))
            for state, count in found.annotation_states
        ]
        total = sum(count for _, count in found.annotation_states)
        _bars(
            f"Annotations per state (n = {total:,})",
            states,
            f"One a person, image and finding. {found.unannotated:,} acetic-acid images wait for their first.",
            key="annotations",
        )
    with right:
        _bars(
            f"Images per stage (n = {found.images:,})",
            [(STAGES[stage], count, TEAL) for stage, count in found.stages],
            f"{found.not_cervix:,} of them do not show the cervix and are left out of learning.",
            key="stages",
        )


def _grade(grade: Grade | None) -> str:
    return "No histology" if grade is None else grade_text(grade)


def _colour(grade: Grade | None) -> str:
    if grade is None:
        return GREY
    if grade in _BEYOND:
        return AMBER
    return RED if grade in _HIGH else TEAL


def _bars(title: str, bars: Sequence[tuple[str, int, str]], caption: str, *, key: str) -> None:
    names, counts, colours = zip(*bars, strict=True)
    st.markdown(f"**{title}**")
    figure = bar_chart(names, counts, colours, height_px=24 + 29 * len(bars))
    st.plotly_chart(figure, width="stretch", config=config(), key=f"chart_{key}", theme=None)
    st.caption(caption)


def _exclusions(found: Dashboard) -> None:
    if not found.exclusions:
        return
    total = sum(count for _, count in found.exclusions)
    with st.expander(f"Cases without a label, and why ({total:,})"):
        for reason, count in found.exclusions:
            st.markdown(f"**{count}** &nbsp; {plain(reason.removeprefix('excluded: '))}")


def _model(found: Dashboard) -> None:
    st.divider()
    st.markdown("### The current model against the labels")
    if found.problem:
        st.warning(found.problem, icon=":material/error:")
        return
    if found.agreement is None:
        st.info("No model is promoted yet.", icon=":material/deployed_code:")
        link("train", "Train one", icon=":material/model_training:")
        return
    _agreement(found.agreement)


def _agreement(agreement: ModelAgreement) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(agreement.checkpoint_name)}**, trained with {label_source_text(agreement.trained_on)}")
        if agreement.trained_on_simulated:
            simulated_badge()
        if LabelSource.IMPRESSION in (agreement.trained_on, agreement.compared_with):
            impression_badge()
    if not any(row.n_cases for row in agreement.rows):
        st.info(
            f"{agreement.n_cases_predicted} cases have a prediction and none of them a label. Enter histology first.",
            icon=":material/biotech:",
        )
        return
    network = st.segmented_control(
        "Network", [4, 3], format_func=lambda n: f"{n} channels", default=4, required=True, key="dashboard_network",
        help="4: RGB and the acetowhite map; 3: RGB alone.",
    )  # fmt: skip
    for place, (acquaintance, (title, definition)) in zip(st.columns(2, gap="large"), _MET.items(), strict=True):
        row = next(row for row in agreement.rows if row.acquaintance is acquaintance and row.channels == network)
        with place:
            st.markdown(f"**{title}** (n = {row.n_cases} cases of {row.n_patients} patients)")
            _figures(row)
            st.caption(definition)
    st.caption(
        f"A case counts once: the mean probability of HSIL over its acetic-acid images, called at the model's frozen "
        f"threshold, against {label_source_text(agreement.compared_with)}. HSIL is positive. Intervals: 95%, Wilson."
    )
    _reviews(agreement.reviews)


def _reviews(reviews: ReviewAgreement) -> None:
    st.markdown("**Reviewers and the current model**")
    agreed = reviews.agreed
    if not agreed.n and not reviews.n_unsure:
        st.markdown("No prediction of it was reviewed yet.")
        link("review", "Review predictions", icon=":material/fact_check:")
        return
    st.markdown(
        f"Agreed {agreed.k}, overruled {agreed.n - agreed.k}, unsure {reviews.n_unsure} &nbsp;·&nbsp; {agreed.text()}"
    )
    st.caption(
        "Agreement with interval, of those that agreed or overruled: the newest verdict of each reviewer on each "
        "prediction; verdicts, not cases."
    )


def _figures(row: ModelFigures) -> None:
    if not row.n_cases:
        st.info("No such case has both a label and a prediction.", icon=":material/hourglass_empty:")
        return
    figures = row.figures
    chart = confusion_chart(figures)
    st.plotly_chart(chart, width="stretch", config=config(), key=f"confusion_{row.acquaintance}", theme=None)
    shares = {
        "Sensitivity": figures.sensitivity,
        "Specificity": figures.specificity,
        "Accuracy": figures.accuracy,
    }
    st.table(pd.DataFrame({"": shares.keys(), "Share (k/n; 95% interval)": [one.text() for one in shares.values()]}))
