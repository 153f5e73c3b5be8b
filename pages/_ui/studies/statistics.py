"""The statistics of a closed study: the readers together, each network against them, and how the readers agree."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape

import plotly.graph_objects as go
import streamlit as st

from colpo_core.records.statistics.figures import Bounds, p_text, value_text
from colpo_core.records.statistics.multi_reader_figures import AgainstModel, ManyReaders, SingleArm
from colpo_core.records.statistics.rater_agreement import ArmAgreement, Coefficient
from colpo_core.records.statistics.rating_analysis import Clustered, ClusteredAnalysis, RatingAnalysis
from colpo_core.records.statistics.reader_figures import ENDPOINT_WORDS, AtPrevalence, Endpoint, PairedAucs, PairedCalls
from colpo_core.records.studies.results import NetworkComparison, PrimaryResult, StudyAnalysis
from pages._ui.shared.markdown import plain
from pages._ui.studies.calibration import calibration_view
from pages._ui.studies.results import cell
from pages._ui.studies.table import study_table

PREVALENCE = "study_prevalence"
_COLOUR = "#0f6b74"
_ROW_PX = 34
_CALLS = (("Accuracy", "accuracy"), ("Sensitivity", "sensitivity"), ("Specificity", "specificity"))
_BY_PATIENT = {"auc": "Area", "accuracy": "Accuracy", "sensitivity": "Sensitivity", "specificity": "Specificity"}
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
            st.markdown(f"**{plain(_said('Agreement of the readers', arm, analysis.readers))}**")
            st.html(agreement_table(agreement))
            st.caption(
                "1 is full agreement, 0 what chance brings. Each pair of readers on the cases that both have read; "
                "Fleiss' kappa and Gwet's AC1 on those that all have read, Krippendorff's alpha on those that two or "
                "more have. Intervals by patients; none with fewer than 10 of them, or fewer than 3 calls a reader of "
                "the rarer kind."
            )
    if analysis.again:
        st.markdown("**Agreement of each reader with herself or himself**")
        rows = [
            [escape(analysis.title(name)), value_text(one.value, one.ci), str(one.n)]
            for name, one in analysis.again.items()
        ]
        st.html(study_table(("Reader", "Cohen's kappa of the calls", "Cases read twice"), rows))
    calibration_view(analysis.calibration)


def _primary(results: Sequence[PrimaryResult]) -> None:
    if not results:
        return
    with st.container(border=True):
        st.markdown("**Primary endpoint**")
        for one in results:
            st.markdown(plain(one.text))
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
    lines = [
        (_named(name, arm_name, analysis.readers), arm)
        for name, reader in analysis.readers.readers.items()
        for arm_name, arm in reader.arms.items()
    ]
    lines += [
        (escape(f"{network.name}, {network.channels} channels"), network.alone)
        for network in analysis.networks
        if network.alone is not None
    ]
    rows = [[name, _at(arm.ppv_at_prevalence), _at(arm.npv_at_prevalence)] for name, arm in lines]
    st.html(study_table(("", "PPV", "NPV"), rows))
    st.caption("By Bayes' theorem from sensitivity and specificity, with the logit interval of Mercaldo, Lau and Zhou.")


def _at(found: AtPrevalence | None) -> str:
    return "–" if found is None else value_text(found.value, found.ci)


def _arms(readers: RatingAnalysis) -> None:
    st.markdown("**With the model's output against without it**")
    st.html(arms_table(readers))
    st.caption(
        "Each reader: areas by DeLong, calls by McNemar's test (mid-p) with Newcombe's interval (cases that the first "
        "arm alone : the second alone called right). All readers: Obuchowski-Rockette, Hillis, for other readers and "
        "other cases. Where patients have several cases, patients are counted (Obuchowski 1997)."
    )
    every = {Endpoint.AUC: readers.mrmc} | {name: one.mrmc for name, one in readers.shares.items()}
    _cautions({ENDPOINT_WORDS[name]: one for name, one in every.items() if one is not None})


def _named(name: str, arm: str, readers: RatingAnalysis) -> str:
    return escape(_said(name, arm, readers))


def _said(name: str, arm: str, readers: RatingAnalysis) -> str:
    return f"{name}, {arm}" if len(readers.counts.arms) > 1 else name


def _by_patient(found: ClusteredAnalysis) -> None:
    st.markdown(f"**By patients ({found.n_patients})**")
    rows = [
        [escape(f"{name}, {arm}" if len(arms) > 1 else name), *(_clustered(figures, field) for field in _BY_PATIENT)]
        for name, arms in found.readers.items()
        for arm, figures in arms.items()
    ]
    rows += [
        [
            f"<b>All readers{f', {arm}' if len(found.together) > 1 else ''}</b>",
            *(_clustered(figures, field) for field in _BY_PATIENT),
        ]
        for arm, figures in found.together.items()
    ]
    st.html(study_table(("Reader", *_BY_PATIENT.values()), rows))
    st.caption("Intervals over patients, the cases of each taken together (Obuchowski 1997); the readers stay.")


def _cautions(figures: Mapping[str, ManyReaders | SingleArm | AgainstModel]) -> None:
    """What several readers' figures rest on, and what to mind of them."""
    for what, one in figures.items():
        basis = one.basis.text if one.basis is not None else ""
        said = " ".join([*([f"{basis}."] if basis else []), *one.cautions])
        if said:
            st.caption(plain(f"{what}: {said}"))


def readers_table(readers: RatingAnalysis) -> str:
    """Each reader and all together, as HTML."""
    rows = []
    for name, reader in readers.readers.items():
        for arm_name, arm in reader.arms.items():
            shares = (arm.sensitivity, arm.specificity)
            cells = [_named(name, arm_name, readers), value_text(arm.auc, arm.auc_ci, missing=arm.auc_ci_missing)]
            rows.append([*cells, *(share.text() if share else "–" for share in shares), str(arm.n)])
    for arm_name, single in readers.single_arm.items():
        area = escape(value_text(single.auc, single.logit_ci, missing=single.reason))
        rows.append([f"<b>{_named('All readers', arm_name, readers)}</b>", area, "", "", ""])
    return study_table(("Reader", "Area under the curve", "Sensitivity", "Specificity", "Cases"), rows)


def arms_table(readers: RatingAnalysis) -> str:
    """Each reader's difference between the arms and that of all together, as HTML."""
    rows = []
    for name, reader in readers.readers.items():
        if reader.delong is not None and reader.mcnemar is not None:
            area = _area(reader.delong)
            rows.append([escape(name), area, *(_paired(reader.mcnemar[field]) for _, field in _CALLS)])
    if readers.mrmc is not None:
        many = (readers.shares[Endpoint(field)].mrmc for _, field in _CALLS)
        area = _signed(readers.mrmc.difference, readers.mrmc.ci, readers.mrmc.p, missing=readers.mrmc.reason)
        rows.append(["<b>All readers</b>", area, *(_points(one) for one in many)])
    first, second = (escape(arm) for arm in readers.counts.arms)
    return study_table((f"{first} minus {second}", "Area", *(name for name, _ in _CALLS)), rows)


def agreement_table(agreement: ArmAgreement) -> str:
    """Coefficients of all readers, then Cohen's kappa of each pair, each with its cases, as HTML."""
    rows = []
    for title, field in _AGREEMENT:
        found: Coefficient | None = getattr(agreement, field)
        if found is not None:
            rows.append([title, value_text(found.value, found.ci), str(found.n)])
    for pair in agreement.pairs:
        if pair.cohen is not None:
            title = f"Cohen's kappa, {escape(pair.first)} and {escape(pair.second)}"
            rows.append([title, value_text(pair.cohen.value, pair.cohen.ci), str(pair.n)])
    return study_table(("", "Value", "Cases"), rows)


def _network(network: NetworkComparison) -> None:
    st.markdown(f"**Readers against {network.name}, {network.channels} channels**")
    for sentence in network.refused:
        st.caption(sentence)
    if network.alone is None:
        return
    st.html(study_table(("Reader minus network", "Area", *(name for name, _ in _CALLS)), list(_rows(network))))
    if network.together is not None:
        _cautions({"all readers minus the network": network.together})
    if network.by_patient:
        said = "; ".join(f"{name} {_signed_text(network.by_patient.get(field))}" for field, name in _BY_PATIENT.items())
        st.caption(f"All readers minus the network, with intervals by patients: {said}.")
    alone = value_text(network.alone.auc, network.alone.auc_ci, missing=network.alone.auc_ci_missing)
    st.caption(
        f"On the {network.n_cases} cases that it has judged and not learned from; its own area there is "
        f"{alone}. "
        "Differences of areas by DeLong, calls by McNemar's test (mid-p) with Newcombe's interval (cases that the "
        "reader alone : the network alone called right); all readers together by "
        "Obuchowski and Rockette, for other readers and other cases."
    )
    figure = forest(network)
    if figure is not None:
        key = f"forest_{network.name}_{network.channels}"
        st.plotly_chart(figure, width="stretch", config={"displayModeBar": False}, key=key)


def _rows(network: NetworkComparison) -> Iterator[list[str]]:
    for reader in network.readers:
        if reader.aucs is None or reader.calls is None:
            yield [escape(reader.title), "too few cases in common", "", "", ""]
            continue
        calls = [_paired(reader.calls[field]) for _, field in _CALLS]
        yield [escape(reader.title), _area(reader.aucs), *calls]
    together = network.together
    if together is not None:
        shares = [_points(network.shares.get(Endpoint(field))) for _, field in _CALLS]
        area = _signed(together.difference, together.ci, together.p, missing=together.reason)
        yield ["<b>All readers</b>", area, *shares]


def forest(network: NetworkComparison) -> go.Figure | None:
    """Differences of areas, reader minus network, a row a reader and one for all; None where there is none."""
    found: list[tuple[str, float, Bounds]] = [
        (reader.title, reader.aucs.difference, reader.aucs.ci)
        for reader in network.readers
        if reader.aucs is not None and reader.aucs.difference is not None and reader.aucs.ci is not None
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
            customdata=[value_text(value, ci, is_signed=True) for _, value, ci in found],
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


def _clustered(figures: dict[str, Clustered], field: str) -> str:
    found = figures.get(field)
    return "–" if found is None else value_text(found.value, found.ci)


def _signed_text(found: Clustered | None) -> str:
    if found is None or found.value is None:
        return "not defined"
    return f"{found.value:+.3f}" + ("" if found.ci is None else f" ({found.ci[0]:+.3f} to {found.ci[1]:+.3f})")


def _points(found: ManyReaders | AgainstModel | None) -> str:
    if found is None:
        return "–"
    value = f"{100 * found.difference:+.1f} points"
    if found.ci is None or found.p is None:
        return cell(value, _none(found.reason))
    low, high = (100 * bound for bound in found.ci)
    return cell(value, f"{low:+.1f} to {high:+.1f} · p {_p(found.p)}")


def _paired(calls: PairedCalls) -> str:
    if calls.difference is None:
        return "–"
    if calls.ci is None:
        return cell(f"{100 * calls.difference:+.1f} points", f"{_none(calls.reason)} · {calls.b} : {calls.c}")
    low, high = (100 * bound for bound in calls.ci)
    at_odds = "" if calls.at_odds is None else f" ({escape(calls.at_odds)})"
    detail = f"{low:+.1f} to {high:+.1f} · {calls.b} : {calls.c} · p {_p(calls.p)}{at_odds} · {calls.n} cases"
    return cell(f"{100 * calls.difference:+.1f} points", detail)


def _none(reason: str | None) -> str:
    return escape("no interval" if reason is None else f"no interval: {reason}")


def _area(found: PairedAucs) -> str:
    return _signed(found.difference, found.ci, found.p, missing=found.reason, n=found.n)


def _signed(
    value: float | None, ci: Bounds | None, p: float | None, *, missing: str | None = None, n: int | None = None
) -> str:
    if value is None:
        return "not defined"
    why = "no interval" if missing is None else f"no interval: {escape(missing)}"
    detail = why if ci is None else f"{ci[0]:+.3f} to {ci[1]:+.3f} · p {_p(p)}"
    return cell(f"{value:+.3f}", detail if n is None else f"{detail} · {n} cases")


def _p(p: float | None) -> str:
    return "–" if p is None else escape(p_text(p))
