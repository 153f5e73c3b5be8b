"""The statistics of a closed study: the readers together, each network against them, and how the readers agree."""

from collections.abc import Iterator
from html import escape

import plotly.graph_objects as go
import streamlit as st

from colpo_core.records.reader_statistics import (
    AgainstModel,
    ArmAgreement,
    Bounds,
    Coefficient,
    PairedCalls,
    RatingAnalysis,
)
from colpo_core.records.studies import NetworkComparison, StudyAnalysis
from pages._ui.study_results import cell

_COLOUR = "#0f6b74"
_ROW_PX = 34
_CALLS = (("Accuracy", "accuracy"), ("Sensitivity", "sensitivity"), ("Specificity", "specificity"))
_AGREEMENT = (
    ("Fleiss' kappa", "fleiss"),
    ("Gwet's AC1", "gwet_ac1"),
    ("Krippendorff's alpha", "krippendorff_alpha"),
    ("alpha of the ratings, as ranks", "krippendorff_alpha_ordinal"),
)


def statistics_view(analysis: StudyAnalysis) -> None:
    """Draw everything below the table of results."""
    st.subheader("Statistics")
    for note in analysis.notes:
        st.info(note, icon=":material/info:")
    if analysis.readers is None:
        return
    st.html(readers_table(analysis.readers))
    st.caption(
        "Area under the ROC curve from call and confidence, with DeLong's 95% interval for each reader; all readers "
        "together for other readers and other cases (Obuchowski-Rockette, Hillis). Shares with exact intervals "
        "(Clopper-Pearson)."
    )
    for network in analysis.networks:
        _network(network)
    for agreement in analysis.readers.agreement.values():
        if agreement.fleiss is not None:
            st.markdown("**Agreement of the readers**")
            st.html(agreement_table(agreement))
            st.caption("95% intervals by a bootstrap over cases. 1 is full agreement, 0 what chance brings.")
    if analysis.again:
        st.markdown("**Agreement of each reader with herself or himself**")
        rows = [[escape(name), _value(one.value, one.ci), str(one.n)] for name, one in analysis.again.items()]
        st.html(_table(("Reader", "Cohen's kappa of the calls", "Cases read twice"), rows))


def readers_table(readers: RatingAnalysis) -> str:
    """Each reader and all together, as HTML."""
    rows = []
    for name, reader in readers.readers.items():
        for arm in reader.arms.values():
            shares = (arm.sensitivity, arm.specificity)
            cells = [escape(name), _value(arm.auc, arm.auc_ci), *(one.text() if one else "–" for one in shares)]
            rows.append([*cells, str(arm.n)])
    rows += [["<b>All readers</b>", _value(one.auc, one.ci), "", "", ""] for one in readers.single_arm.values()]
    return _table(("Reader", "Area under the curve", "Sensitivity", "Specificity", "Cases"), rows)


def agreement_table(agreement: ArmAgreement) -> str:
    """Coefficients of all readers, then Cohen's kappa of each pair, as HTML."""
    rows = []
    for title, field in _AGREEMENT:
        found: Coefficient | None = getattr(agreement, field)
        if found is not None:
            rows.append([title, _value(found.value, found.ci)])
    rows += [[f"Cohen's kappa, {escape(pair)}", _value(one.value, one.ci)] for pair, one in agreement.cohen.items()]
    return _table(("", "Value"), rows)


def _network(network: NetworkComparison) -> None:
    st.markdown(f"**Readers against {network.name}, {network.channels} channels**")
    for sentence in network.refused:
        st.caption(sentence)
    if network.alone is None:
        return
    st.html(_table(("Reader minus network", "Area", *(name for name, _ in _CALLS)), list(_rows(network))))
    st.caption(
        f"On the {network.n_cases} cases that it has judged and not learned from; its own area there is "
        f"{_value(network.alone.auc, network.alone.auc_ci)}. Areas by DeLong, calls by McNemar's exact test with "
        "Newcombe's interval (cases that the reader alone : the network alone called right)."
    )
    figure = forest(network)
    if figure is not None:
        key = f"forest_{network.name}_{network.channels}"
        st.plotly_chart(figure, width="stretch", config={"displayModeBar": False}, key=key)


def _rows(network: NetworkComparison) -> Iterator[list[str]]:
    for one in network.readers:
        if one.aucs is None or one.calls is None:
            yield [escape(one.reader), "too few cases in common", "", "", ""]
            continue
        calls = [_paired(one.calls[field]) for _, field in _CALLS]
        yield [escape(one.reader), _signed(one.aucs.difference, one.aucs.ci, one.aucs.p), *calls]
    together = network.together
    if together is not None:
        yield ["<b>All readers</b>", _signed(together.difference, together.ci, together.p), "", "", ""]


def forest(network: NetworkComparison) -> go.Figure | None:
    """Differences of areas, reader minus network, a row a reader and one for all; None where there is none."""
    found: list[tuple[str, float, Bounds]] = [
        (one.reader, one.aucs.difference, one.aucs.ci)
        for one in network.readers
        if one.aucs is not None and one.aucs.difference is not None and one.aucs.ci is not None
    ]
    together: AgainstModel | None = network.together
    if together is not None and together.ci is not None:
        found.append(("All readers", together.difference, together.ci))
    if not found:
        return None
    names = [name for name, _, _ in found]
    values = [value for _, value, _ in found]
    figure = go.Figure(
        go.Scatter(
            x=values,
            y=names,
            mode="markers",
            marker={"color": _COLOUR, "size": [14 if name == "All readers" else 10 for name in names]},
            error_x={
                "array": [ci[1] - value for _, value, ci in found],
                "arrayminus": [value - ci[0] for _, value, ci in found],
                "color": _COLOUR,
                "thickness": 1.6,
                "width": 4,
            },
            customdata=[f"{value:+.3f} ({ci[0]:+.3f} to {ci[1]:+.3f})" for _, value, ci in found],
            hovertemplate="%{y}: %{customdata}<extra></extra>",
        )
    )
    figure.add_vline(x=0, line={"color": "#4c5d62", "width": 1, "dash": "dot"})
    figure.update_xaxes(title="Difference of areas, reader minus network", gridcolor="#e3eaec", zeroline=False)
    figure.update_yaxes(categoryorder="array", categoryarray=names[::-1], gridcolor="#f1f6f6")
    figure.update_layout(
        height=100 + _ROW_PX * len(names), margin={"l": 0, "r": 10, "t": 10, "b": 40}, plot_bgcolor="#ffffff",
        font={"size": 13},
    )  # fmt: skip
    return figure


def _table(headings: tuple[str, ...], rows: list[list[str]]) -> str:
    head = "".join(f"<th scope='col'>{heading}</th>" for heading in headings)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    table = f"<table class='study-results'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<div class='study-wide'>{table}</div>"


def _paired(calls: PairedCalls) -> str:
    if calls.difference is None or calls.ci is None:
        return "–"
    low, high = (100 * bound for bound in calls.ci)
    detail = f"{low:+.1f} to {high:+.1f} · {calls.b} : {calls.c} · p {_p(calls.p)}"
    return cell(f"{100 * calls.difference:+.1f} points", detail)


def _value(value: float | None, ci: Bounds | None) -> str:
    if value is None:
        return "not defined"
    return f"{value:.3f} (no interval)" if ci is None else f"{value:.3f} ({ci[0]:.3f} to {ci[1]:.3f})"


def _signed(value: float | None, ci: Bounds | None, p: float | None) -> str:
    if value is None:
        return "not defined"
    detail = "no interval" if ci is None else f"{ci[0]:+.3f} to {ci[1]:+.3f} · p {_p(p)}"
    return cell(f"{value:+.3f}", detail)


def _p(p: float | None) -> str:
    return "–" if p is None else "&lt; 0.001" if p < 0.001 else f"{p:.3f}"
