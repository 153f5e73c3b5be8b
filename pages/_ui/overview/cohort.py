"""The cohort: how much there is, how it grew, and of which kinds."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pandas as pd
import streamlit as st

from colpo_core.records.overview.cohort import AnnotatorProgress, MonthCount
from colpo_core.records.overview.worklist import Dashboard
from colpo_core.services.overview import cohort
from colpo_core.terms import AnnotationState, Grade, Label
from pages._ui.jobs.live import span_text
from pages._ui.overview.chart_links import Words, chart_that_opens
from pages._ui.shared.badges import simulated_badge
from pages._ui.shared.charts import AMBER, GREY, RED, TEAL, bar_chart, stacked_chart
from pages._ui.shared.context import PageContext
from pages._ui.shared.formats import count_text
from pages._ui.shared.links import link
from pages._ui.shared.markdown import plain
from pages._ui.shared.words import GRADE_COLOURS, GRADES, LABELS, STAGES, STATES

_LABEL_COLOURS = {Label.NORMAL: TEAL, Label.HSIL: RED, None: GREY}
_SERIES: dict[str, tuple[Mapping[Any, str], Mapping[Any, str]]] = {
    "label": (LABELS, _LABEL_COLOURS),
    "grade": ({**GRADES, None: "No histology"}, {**GRADE_COLOURS, None: GREY}),
}
"""What the bars of a month can be divided by: of each kind its name and its colour."""
_STATE_COLOURS = {AnnotationState.SUBMITTED: TEAL, AnnotationState.TO_CONFIRM: AMBER}
_MOST_MONTHS = 120
_HIGH = (Grade.CIN2, Grade.CIN3)
_BEYOND = (Grade.ADENOCARCINOMA_IN_SITU, Grade.INVASIVE_CARCINOMA)


def show_totals(dashboard: Dashboard) -> None:
    """Draw how much there is."""
    labelled = sum(count for label, count in dashboard.labels if label is not None)
    submitted = dict(dashboard.annotation_states)[AnnotationState.SUBMITTED]
    totals = (
        ("Patients", dashboard.patients),
        ("Cases", dashboard.cases),
        ("Images", dashboard.images),
        ("Cases with a label", labelled),
        ("Annotations submitted", submitted),
    )
    for column, (title, count) in zip(st.columns(len(totals)), totals, strict=True):
        column.metric(title, f"{count:,}", border=True)
    if dashboard.simulated_cases:
        with st.container(horizontal=True, vertical_alignment="center"):
            simulated_badge()
            st.caption(
                f"{dashboard.simulated_cases} of {dashboard.cases} cases counted here were drawn by the program."
            )


def show_cohort(ctx: PageContext, dashboard: Dashboard) -> None:
    """Draw the cohort by month, grade, label, annotation and stage; a click opens the cases behind a bar."""
    _recruitment(ctx, dashboard)
    left, right = st.columns(2, gap="large")
    with left:
        _bars(
            f"Cases per grade (n = {dashboard.cases:,})",
            [(_SERIES["grade"][0][grade], count, _colour(grade)) for grade, count in dashboard.grades],
            "Highest grade of all specimens that count. Red: called HSIL; amber: flagged, in no comparison.",
            key="grades",
            opens=[None if grade is None else {"grade": grade.value} for grade, _ in dashboard.grades],
        )
    with right:
        _bars(
            f"Cases per label (n = {dashboard.cases:,})",
            [(LABELS[label], count, _LABEL_COLOURS[label]) for label, count in dashboard.labels],
            "By histology, or by a colposcopy recorded as normal without biopsy. Impressions are not counted here.",
            key="labels",
            opens=[{"label": "excluded" if label is None else label.value} for label, _ in dashboard.labels],
        )
        _exclusions(dashboard)
    left, right = st.columns(2, gap="large")
    with left:
        states = [
            (STATES[state].capitalize(), count, _STATE_COLOURS.get(state, GREY))
            for state, count in dashboard.annotation_states
        ]
        total = sum(count for _, count in dashboard.annotation_states)
        _bars(
            f"Annotations per state (n = {total:,})",
            states,
            f"One a person, image and finding. {dashboard.unannotated:,} acetic-acid images wait for their first.",
            key="annotations",
            opens=[{"annotation": state.value} for state, _ in dashboard.annotation_states],
        )
    with right:
        _bars(
            f"Images per stage (n = {dashboard.images:,})",
            [(STAGES[stage], count, TEAL) for stage, count in dashboard.stages],
            f"{dashboard.not_cervix:,} of them do not show the cervix and are left out of learning.",
            key="stages",
            opens=[None] * len(dashboard.stages),
        )
    _annotators(ctx)


def _annotators(ctx: PageContext) -> None:
    """Who has painted how much, how long an image takes, and the way to how they agree."""
    annotators = cohort.annotator_progress(ctx.caller)
    if not annotators:
        return
    st.markdown(
        f"**Annotators of acetowhite epithelium (n = {sum(annotator.n_images for annotator in annotators):,} images)**"
    )
    rows = [
        {
            "Annotator": annotator.name,
            "Images submitted": annotator.n_images,
            "Waiting in tasks": annotator.n_waiting,
            "Median time for an image": _time_text(annotator),
        }
        for annotator in annotators
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", key="dashboard_annotators")
    st.caption("Time at work on an image, all versions together, where it was recorded (number of images behind it).")
    spread = cohort.agreement_spread(ctx.caller)
    if spread.n_uncompared:
        st.caption(
            f"{count_text(spread.n_uncompared, 'case')} of several annotators wait to be compared: the list of those "
            "on which they agree least does it."
        )
    if spread.n:
        st.markdown(
            f"Where several have painted a case, the lowest Dice of two of them is {spread.median:.2f} in the middle "
            f"case (quartiles {spread.lower_quartile:.2f} to {spread.upper_quartile:.2f}; n = {spread.n:,} "
            "cases)."
        )
    with st.container(horizontal=True):
        link("agreement", "How they agree, with intervals", icon=":material/compare:")
        link("cases", "Cases on which they agree least", icon=":material/difference:", sort="disagreement")


def _time_text(annotator: AnnotatorProgress) -> str:
    if annotator.median_seconds is None:
        return "not recorded"
    return f"{span_text(timedelta(seconds=round(annotator.median_seconds)))} ({annotator.n_timed:,})"


def _recruitment(ctx: PageContext, dashboard: Dashboard) -> None:
    counts = cohort.recruitment(ctx.caller, include_simulated=dashboard.includes_simulated)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**Cases per month (n = {sum(count.n for count in counts):,})**", width="content")
        st.space("stretch")
        by = st.segmented_control(
            "By", ["label", "grade"], format_func=str.capitalize, default="label", required=True,
            key="dashboard_months_by", label_visibility="collapsed",
        )  # fmt: skip
    months = _months(counts)
    names, colours = _SERIES[by]
    series = [(name, colours[kind], _per_month(counts, months, by, kind)) for kind, name in names.items()]
    opens = [[_opened(by, kind, month) for month in months] for kind in names]
    chart_that_opens(stacked_chart(months, series, height_px=230), "months", opens)
    st.caption("By day of examination, or of coming in where that is unknown. A bar opens its cases.")


def _months(counts: Sequence[MonthCount]) -> list[str]:
    """Every month from the first to the last, also one without a case; after ten years of them only the last ten."""
    if not counts:
        return []
    months = pd.period_range(counts[0].month, counts[-1].month, freq="M")
    return [str(month) for month in months[-_MOST_MONTHS:]]


def _per_month(counts: Sequence[MonthCount], months: Sequence[str], by: str, kind: Label | Grade | None) -> list[int]:
    count_by_month = dict.fromkeys(months, 0)
    for count in counts:
        if count.month in count_by_month and (count.label if by == "label" else count.grade) == kind:
            count_by_month[count.month] += count.n
    return list(count_by_month.values())


def _opened(by: str, kind: Label | Grade | None, month: str) -> Words | None:
    """The filter of the cases behind a bar; None where no filter says it."""
    if by == "label":
        return {"month": month, "label": "excluded" if kind is None else kind.value}
    return None if kind is None else {"month": month, "grade": kind.value}


def _colour(grade: Grade | None) -> str:
    if grade is None:
        return GREY
    if grade in _BEYOND:
        return AMBER
    return RED if grade in _HIGH else TEAL


def _bars(
    title: str, bars: Sequence[tuple[str, int, str]], caption: str, *, key: str, opens: Sequence[Words | None]
) -> None:
    names, counts, colours = zip(*bars, strict=True)
    st.markdown(f"**{title}**")
    figure = bar_chart(names, counts, colours, height_px=24 + 29 * len(bars))
    chart_that_opens(figure, key, [opens])
    st.caption(f"{caption} A bar opens its cases." if any(opens) else caption)


def _exclusions(dashboard: Dashboard) -> None:
    if not dashboard.exclusions:
        return
    total = sum(count for _, count in dashboard.exclusions)
    with st.expander(f"Cases without a label, and why ({total:,})"):
        for reason, count in dashboard.exclusions:
            st.markdown(f"**{count}** &nbsp; {plain(reason.removeprefix('excluded: '))}")
