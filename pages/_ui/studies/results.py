"""The results of a closed study: a table that hides nobody, and the same figures as dots with intervals."""

from collections.abc import Iterator

import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from colpo_core.records.models.marks import MarkKind, marks_text
from colpo_core.records.statistics.figures import CallFigures, Proportion
from colpo_core.records.studies.results import CallerFigures, StudyResults
from colpo_core.terms import Arm, LabelSource
from pages._ui.shared.badges import impression_badge
from pages._ui.shared.charts import CONFIG
from pages._ui.studies.table import Cell, Row, study_table

_FIGURES = (
    ("Accuracy", "accuracy"),
    ("Sensitivity", "sensitivity"),
    ("Specificity", "specificity"),
    ("PPV", "ppv"),
    ("NPV", "npv"),
)
_READER_COLOUR, _AIDED_COLOUR, _CHECKPOINT_COLOUR = "#0f6b74", "#5b4b9a", "#b4581b"
_ROW_PX = 34
_STYLE = """
<style>
.study-results { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
.study-results th { text-align: left; font-weight: 600; font-size: .85rem; padding: .5rem .6rem; }
.study-results thead tr { border-bottom: 2px solid #d5dfe1; }
.study-results td { padding: .5rem .6rem; border-bottom: 1px solid #e3eaec; vertical-align: top; }
.study-results tr.part td { background: #f1f6f6; font-weight: 600; font-size: .85rem; padding: .35rem .6rem; }
.study-results tr.unseen td { color: #4c5d62; }
.study-results tr.unseen td:first-child { padding-left: 1.6rem; }
.study-results tr.together td:first-child { font-weight: 700; }
.study-results .value { font-weight: 600; }
.study-results .detail { font-size: .8rem; color: #4c5d62; white-space: nowrap; }
.study-results .warn { color: #9a3d0c; font-size: .8rem; }
.study-wide { overflow-x: auto; }
</style>
"""


def results_view(results: StudyResults) -> None:
    """Draw the table and the chart."""
    _provenance(results)
    st.html(_STYLE + results_table(results))
    st.caption(
        "Each figure with k/n and its exact 95% interval; HSIL is positive. "
        "Checkpoints call at their frozen thresholds."
        + (" Circles: read without the model's output; squares: with it." if results.has_arms else "")
    )
    st.plotly_chart(results_chart(results), width="stretch", config=CONFIG, key="study_chart")


def _provenance(results: StudyResults) -> None:
    study = results.study
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"Reference standard: {results.label_source.value} ({', '.join(results.rules_versions)}), "
            f"frozen at the sealing. {study.n_cases} cases, {study.n_hsil} HSIL"
            + (f", {study.n_simulated} simulated." if study.n_simulated else ".")
        )
        if any(checkpoint.trained_on is LabelSource.IMPRESSION for checkpoint in results.checkpoints):
            impression_badge()


def results_table(results: StudyResults) -> str:
    """The table as HTML."""
    rows = [Row(("Readers",), "part"), *(row for reader in results.readers for row in _rows(reader, results))]
    if results.checkpoints:
        checkpoints = (row for checkpoint in results.checkpoints for row in _rows(checkpoint, results))
        rows += [Row(("Checkpoints",), "part"), *checkpoints]
    return study_table(("", "Cases", *(name for name, _ in _FIGURES)), rows)


def _rows(caller: CallerFigures, results: StudyResults) -> Iterator[Row]:
    warnings = []
    if caller.channels is None:
        seconds = "" if caller.times is None else f"median {caller.times.median:.0f} s a case"
        name, detail = Cell(results.title(caller), seconds), caller.remark if caller.is_complete else ""
        if not caller.is_complete:
            warnings.append(caller.remark or "not all read")
    else:
        # Calls at a frozen threshold are the same whether or not probabilities are calibrated.
        marks = marks_text(caller.marks, without=(MarkKind.UNCALIBRATED,))
        name = Cell(caller.name, f"{caller.channels} channels" + (f" · {marks}" if marks else ""))
        detail = "" if caller.n_seen else "none seen in training"
        if not caller.is_complete:
            warnings.append(f"{caller.n_called} of {caller.n_cases} cases predicted")
        if caller.n_seen:
            warnings.append(f"seen in training: {caller.n_seen} of {caller.n_cases}")
    n_cases = Cell(f"{caller.n_called} of {caller.n_cases}", detail, tuple(warnings))
    yield Row((name, n_cases, *_figures(caller.figures)))
    if caller.unseen is not None:
        label = Cell("unseen cases alone", f"{caller.channels} channels")
        n_unseen = Cell(f"{caller.n_unseen} of {caller.n_cases - (caller.n_seen or 0)}")
        yield Row((label, n_unseen, *_figures(caller.unseen)), "unseen")


def _figures(figures: CallFigures) -> list[Cell]:
    return [_proportion(getattr(figures, field)) for _, field in _FIGURES]


def _proportion(share: Proportion) -> Cell:
    if share.value is None or share.bounds is None:
        return Cell("–", f"not defined ({share.k}/{share.n})")
    low, high = share.bounds
    return Cell(f"{share.value:.1%}", f"{share.k}/{share.n} · {100 * low:.1f} to {100 * high:.1f}")


def results_chart(results: StudyResults) -> go.Figure:
    """Accuracy, sensitivity and specificity as dots with their intervals, a row a caller."""
    callers = [*results.readers, *results.checkpoints]
    names = [results.title(caller) for caller in callers]
    shown = _FIGURES[:3]
    figure = make_subplots(
        cols=len(shown), shared_yaxes=True, subplot_titles=[name for name, _ in shown], horizontal_spacing=0.03
    )
    for column, (title, field) in enumerate(shown, start=1):
        for name, caller in zip(names, callers, strict=True):
            share: Proportion = getattr(caller.figures, field)
            if share.value is not None and share.low is not None and share.high is not None:
                figure.add_trace(_dot(name, title, caller, share.value, share.low, share.high), row=1, col=column)
    figure.update_xaxes(range=[-0.03, 1.03], tickformat=".0%", gridcolor="#e3eaec", zeroline=False, fixedrange=True)
    figure.update_yaxes(
        categoryorder="array",
        categoryarray=names[::-1],
        range=[-0.6, len(names) - 0.4],
        gridcolor="#f1f6f6",
        fixedrange=True,
    )
    figure.update_layout(
        height=90 + _ROW_PX * len(names), margin={"l": 0, "r": 10, "t": 40, "b": 30}, showlegend=False,
        plot_bgcolor="#ffffff", font={"size": 13},
    )  # fmt: skip
    return figure


def _dot(name: str, title: str, caller: CallerFigures, value: float, low: float, high: float) -> go.Scatter:
    colour, symbol = (_READER_COLOUR, "circle") if caller.channels is None else (_CHECKPOINT_COLOUR, "diamond")
    if caller.arm is Arm.AIDED:
        colour, symbol = _AIDED_COLOUR, "square"
    return go.Scatter(
        x=[value],
        y=[name],
        mode="markers",
        marker={"color": colour, "size": 11, "symbol": symbol},
        error_x={"array": [high - value], "arrayminus": [value - low], "color": colour, "thickness": 1.6, "width": 4},
        hovertemplate=f"{title} %{{x:.1%}} ({low:.1%} to {high:.1%})<extra></extra>",
    )
