"""The statistics of a closed study: the readers together, each network against them, and how the readers agree."""

from collections.abc import Iterator, Mapping, Sequence

import plotly.graph_objects as go
import streamlit as st

from colpo_core.exchange.study_tables import agreement_rows, area_text, arm_differences, cautions, reader_arms
from colpo_core.records.statistics.figures import Bounds, p_text, value_text
from colpo_core.records.statistics.multi_reader_figures import AgainstModel, ManyReaders, SingleArm
from colpo_core.records.statistics.rating_analysis import Clustered, ClusteredAnalysis, RatingAnalysis
from colpo_core.records.statistics.reader_figures import AtPrevalence, Endpoint, PairedAucs, PairedCalls
from colpo_core.records.studies.results import NetworkComparison, PrimaryResult, StudyAnalysis
from pages._ui.shared.charts import CONFIG
from pages._ui.shared.markdown import plain
from pages._ui.studies.calibration import calibration_view
from pages._ui.studies.table import Cell, Row, study_table

PREVALENCE = "study_prevalence"
_COLOUR = "#0f6b74"
_ROW_PX = 34
_CALLS = (("Accuracy", "accuracy"), ("Sensitivity", "sensitivity"), ("Specificity", "specificity"))
_BY_PATIENT = {"auc": "Area", "accuracy": "Accuracy", "sensitivity": "Sensitivity", "specificity": "Specificity"}


def statistics_view(analysis: StudyAnalysis) -> None:
    """Draw everything below the table of results."""
    st.subheader("Statistics")
    for note in analysis.notes:
        st.info(note, icon=":material/info:")
    _primary(analysis.primary)
    if analysis.readers is None:
        calibration_view(analysis.calibration)
        return
    st.html(readers_table(analysis.readers))
    st.caption(
        "Area under the ROC curve from call and confidence, with Newcombe's 95% interval for each reader; all readers "
        "together for other readers and other cases (Obuchowski-Rockette, Hillis). Shares with exact intervals "
        "(Clopper-Pearson)."
    )
    _cautions(analysis.readers.single_arm)
    _predictive(analysis)
    if len(analysis.readers.counts.arms) > 1:
        _arms(analysis.readers)
    if analysis.readers.by_patient is not None:
        _by_patient(analysis.readers.by_patient)
    for network in analysis.networks:
        _network(network)
    for arm, agreement in analysis.readers.agreement.items():
        if agreement.pairs:
            st.markdown(f"**{plain(_named('Agreement of the readers', arm, analysis.readers.counts.arms))}**")
            st.html(study_table(("", "Value", "Cases"), agreement_rows(agreement)))
            st.caption(
                "1 is full agreement, 0 what chance brings. Each pair of readers on the cases that both have read; "
                "Fleiss' kappa and Gwet's AC1 on those that all have read, Krippendorff's alpha on those that two or "
                "more have. Intervals by patients; none with fewer than 10 of them, or fewer than 3 calls a reader of "
                "the rarer kind."
            )
    if analysis.again:
        st.markdown("**Agreement of each reader with herself or himself**")
        rows = [
            (analysis.title(name), value_text(kappa.value, kappa.ci), str(kappa.n))
            for name, kappa in analysis.again.items()
        ]
        st.html(study_table(("Reader", "Cohen's kappa of the calls", "Cases read twice"), rows))
    calibration_view(analysis.calibration)


def _primary(results: Sequence[PrimaryResult]) -> None:
    if not results:
        return
    with st.container(border=True):
        st.markdown("**Primary endpoint**")
        for result in results:
            st.markdown(plain(result.text))
        st.caption(
            "As sealed before the first reading: for other readers and other cases (Obuchowski-Rockette, Hillis); a "
            "network on those cases alone that it has not learned from."
        )


def _predictive(analysis: StudyAnalysis) -> None:
    """Predictive values at a prevalence that the person gives: those of the study rest on its own share of HSIL."""
    st.number_input(
        "Predictive values at a prevalence of HSIL of", 0.001, 0.999, None, 0.01, format="%.3f", key=PREVALENCE,
        placeholder="such as 0.05", width=320,
    )  # fmt: skip
    if analysis.readers is None or st.session_state.get(PREVALENCE) is None:
        return
    arms = [
        *reader_arms(analysis.readers),
        *((f"{network.name}, {network.channels} channels", network.alone) for network in analysis.networks),
    ]
    rows = [(name, _value(arm.ppv_at_prevalence), _value(arm.npv_at_prevalence)) for name, arm in arms if arm]
    st.html(study_table(("", "PPV", "NPV"), rows))
    st.caption("By Bayes' theorem from sensitivity and specificity, with the logit interval of Mercaldo, Lau and Zhou.")


def _arms(readers: RatingAnalysis) -> None:
    st.markdown("**With the model's output against without it**")
    st.html(arms_table(readers))
    st.caption(
        "Each reader: areas by DeLong, calls by McNemar's test (mid-p) with Newcombe's interval (cases that the first "
        "arm alone : the second alone called right). All readers: Obuchowski-Rockette, Hillis, for other readers and "
        "other cases. Where patients have several cases, patients are counted (Obuchowski 1997)."
    )
    _cautions(arm_differences(readers))


def _named(name: str, arm: str, arms: Sequence[str] | Mapping[str, object]) -> str:
    return f"{name}, {arm}" if len(arms) > 1 else name


def _by_patient(analysis: ClusteredAnalysis) -> None:
    st.markdown(f"**By patients ({analysis.n_patients})**")
    rows = [
        Row((_named(name, arm, arms), *(_value(figures.get(field)) for field in _BY_PATIENT)))
        for name, arms in analysis.readers.items()
        for arm, figures in arms.items()
    ]
    for arm, figures in analysis.together.items():
        name = _named("All readers", arm, analysis.together)
        rows.append(Row((name, *(_value(figures.get(field)) for field in _BY_PATIENT)), "together"))
    st.html(study_table(("Reader", *_BY_PATIENT.values()), rows))
    st.caption("Intervals over patients, the cases of each taken together (Obuchowski 1997); the readers stay.")


def _cautions(figures: Mapping[str, ManyReaders | SingleArm | AgainstModel]) -> None:
    """What several readers' figures rest on, and what to mind of them."""
    for line in cautions(figures):
        st.caption(plain(line))


def readers_table(readers: RatingAnalysis) -> str:
    """Each reader and all together, as HTML."""
    rows = [
        Row((name, area_text(arm), *(share.text() if share else "–" for share in (arm.sensitivity, arm.specificity)),
             str(arm.n)))
        for name, arm in reader_arms(readers)
    ]  # fmt: skip
    for arm_name, single in readers.single_arm.items():
        area = value_text(single.auc, single.logit_ci, missing=single.reason)
        rows.append(Row((_named("All readers", arm_name, readers.counts.arms), area, "", "", ""), "together"))
    return study_table(("Reader", "Area under the curve", "Sensitivity", "Specificity", "Cases"), rows)


def arms_table(readers: RatingAnalysis) -> str:
    """Each reader's difference between the arms and that of all together, as HTML."""
    rows = [
        Row((name, _difference(reader.delong), *(_points(reader.mcnemar[field]) for _, field in _CALLS)))
        for name, reader in readers.readers.items()
        if reader.delong is not None and reader.mcnemar is not None
    ]
    if readers.mrmc is not None:
        shares = (_points(readers.shares[Endpoint(field)].mrmc) for _, field in _CALLS)
        rows.append(Row(("All readers", _difference(readers.mrmc), *shares), "together"))
    return study_table((" minus ".join(readers.counts.arms), "Area", *(name for name, _ in _CALLS)), rows)


def _network(network: NetworkComparison) -> None:
    st.markdown(f"**Readers against {network.name}, {network.channels} channels**")
    for sentence in network.refused:
        st.caption(sentence)
    if network.alone is None:
        return
    st.html(study_table(("Reader minus network", "Area", *(name for name, _ in _CALLS)), _rows(network)))
    if network.together is not None:
        _cautions({"all readers minus the network": network.together})
    if network.by_patient:
        differences = (
            f"{name} {_value(network.by_patient.get(field), is_signed=True)}" for field, name in _BY_PATIENT.items()
        )
        st.caption(f"All readers minus the network, with intervals by patients: {'; '.join(differences)}.")
    st.caption(
        f"On the {network.n_cases} cases that it has judged and not learned from; its own area there is "
        f"{area_text(network.alone)}. "
        "Differences of areas by DeLong, calls by McNemar's test (mid-p) with Newcombe's interval (cases that the "
        "reader alone : the network alone called right); all readers together by "
        "Obuchowski and Rockette, for other readers and other cases."
    )
    figure = forest(network)
    if figure is not None:
        key = f"forest_{network.name}_{network.channels}"
        st.plotly_chart(figure, width="stretch", config=CONFIG, key=key)


def _rows(network: NetworkComparison) -> Iterator[Row]:
    for reader in network.readers:
        if reader.aucs is None or reader.calls is None:
            yield Row((reader.title, "too few cases in common", "", "", ""))
        else:
            yield Row((reader.title, _difference(reader.aucs), *(_points(reader.calls[field]) for _, field in _CALLS)))
    if network.together is not None:
        shares = (_points(network.shares.get(Endpoint(field))) for _, field in _CALLS)
        yield Row(("All readers", _difference(network.together), *shares), "together")


def forest(network: NetworkComparison) -> go.Figure | None:
    """Differences of areas, reader minus network, a row a reader and one for all; None where there is none."""
    differences: list[tuple[str, float, Bounds]] = [
        (reader.title, reader.aucs.difference, reader.aucs.ci)
        for reader in network.readers
        if reader.aucs is not None and reader.aucs.difference is not None and reader.aucs.ci is not None
    ]
    together = network.together
    if together is not None and together.ci is not None:
        differences.append(("All readers", together.difference, together.ci))
    if not differences:
        return None
    names = [name for name, _, _ in differences]
    values = [value for _, value, _ in differences]
    figure = go.Figure(
        go.Scatter(
            x=values,
            y=names,
            mode="markers",
            marker={"color": _COLOUR, "size": [14 if name == "All readers" else 10 for name in names]},
            error_x={
                "array": [ci[1] - value for _, value, ci in differences],
                "arrayminus": [value - ci[0] for _, value, ci in differences],
                "color": _COLOUR,
                "thickness": 1.6,
                "width": 4,
            },
            customdata=[value_text(value, ci, is_signed=True) for _, value, ci in differences],
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


def _value(figure: AtPrevalence | Clustered | None, *, is_signed: bool = False) -> str:
    return "–" if figure is None else value_text(figure.value, figure.ci, is_signed=is_signed)


def _points(figures: PairedCalls | ManyReaders | AgainstModel | None) -> str | Cell:
    """A difference of shares in percentage points."""
    if figures is None or figures.difference is None:
        return "–"
    return _difference(figures, scale=100, form="+.1f", unit=" points")


def _difference(
    figures: PairedAucs | PairedCalls | ManyReaders | AgainstModel,
    *,
    scale: int = 1,
    form: str = "+.3f",
    unit: str = "",
) -> str | Cell:
    """A difference over its interval, the cases of which one alone was right, its p and the cases behind it."""
    if figures.difference is None:
        return "not defined"
    details = [f"no interval: {figures.reason}" if figures.reason else "no interval"]
    if figures.ci is not None:
        details = [" to ".join(f"{scale * bound:{form}}" for bound in figures.ci)]
    if isinstance(figures, PairedCalls):
        details.append(f"{figures.b} : {figures.c}")
    if figures.ci is not None:
        at_odds = f" ({figures.at_odds})" if isinstance(figures, PairedCalls) and figures.at_odds else ""
        details.append("p " + ("–" if figures.p is None else p_text(figures.p)) + at_odds)
    if isinstance(figures, PairedAucs | PairedCalls) and figures.n is not None:
        details.append(f"{figures.n} cases")
    return Cell(f"{scale * figures.difference:{form}}{unit}", " · ".join(details))
