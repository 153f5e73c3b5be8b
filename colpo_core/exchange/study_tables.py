"""The tables of a study's report in words, and what to mind of the figures in them."""

from collections.abc import Iterator, Mapping

from colpo_core.exchange.tables import TextTable
from colpo_core.records.statistics.figures import Bounds, Estimate, p_text, value_text
from colpo_core.records.statistics.multi_reader_figures import AgainstModel, Comparison, ManyReaders, SingleArm
from colpo_core.records.statistics.rater_agreement import ArmAgreement
from colpo_core.records.statistics.rating_analysis import Clustered, ClusteredAnalysis, RatingAnalysis, ShareAnalysis
from colpo_core.records.statistics.reader_figures import ENDPOINT_WORDS, Endpoint, PairedAucs, PairedCalls, ReaderArm
from colpo_core.records.studies.conduct import StudyConduct
from colpo_core.records.studies.designs import StudyRecord
from colpo_core.records.studies.reports import ComputedAnew
from colpo_core.records.studies.results import (
    CallerCalibration,
    CallerFigures,
    NetworkComparison,
    StudyAnalysis,
    StudyResults,
)

MOST_CHANGES = 60
"""So many figures that have changed since the closing are listed."""
_SHARES = {
    "accuracy": "Accuracy",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ppv": "PPV",
    "npv": "NPV",
}
_PAIRED = ("accuracy", "sensitivity", "specificity")
_AGREEMENT = {
    "fleiss": "Fleiss' kappa of the calls",
    "gwet_ac1": "Gwet's AC1 of the calls",
    "krippendorff_alpha": "Krippendorff's alpha of the calls",
    "krippendorff_alpha_ordinal": "Krippendorff's alpha of the ratings, as ranks",
}


def changes_table(anew: ComputedAnew) -> TextTable:
    """Figures that are not those of the closing any more, the first `MOST_CHANGES` of them."""
    rows = [(change.name, change.before, change.now) for change in anew.figures[:MOST_CHANGES]]
    return TextTable(("Figure", "At the closing", "Now"), rows)


def milestones_table(study: StudyRecord) -> TextTable:
    """When the study was made, sealed and closed."""
    times = [("Made", study.created_at), ("Sealed and opened", study.opened_at), ("Closed", study.closed_at)]
    return TextTable(("", "UTC"), [(name, f"{at:%Y-%m-%d %H:%M}") for name, at in times if at is not None])


def calls_table(results: StudyResults) -> TextTable:
    """Shares of calls of each reader and each network."""
    callers = (*results.readers, *results.checkpoints)
    rows = [row for caller in callers for row in _call_rows(caller, results.title(caller))]
    return TextTable(("", "Cases", *_SHARES.values()), rows)


def _call_rows(caller: CallerFigures, name: str) -> Iterator[tuple[str, ...]]:
    if caller.remark and not caller.n_called:
        yield name, caller.remark, *("" for _ in _SHARES)
        return
    remark = f" ({caller.remark})" if caller.remark else ""
    shares = (getattr(caller.figures, field).text() for field in _SHARES)
    yield f"{name}{remark}", f"{caller.n_called} of {caller.n_cases}", *shares
    if caller.unseen is not None:
        shares = (getattr(caller.unseen, field).text() for field in _SHARES)
        yield f"{name}, not learned from", f"{caller.n_unseen} of {caller.n_cases}", *shares


def exact_shares_table(analysis: RatingAnalysis) -> TextTable:
    """Shares of the readers' calls with intervals of the design's confidence."""
    rows = [
        (name, *(share.text() if (share := getattr(arm, field)) else "" for field in _SHARES))
        for name, arm in reader_arms(analysis)
    ]
    return TextTable(("Reader", *_SHARES.values()), rows)


def areas_table(analysis: RatingAnalysis) -> TextTable:
    """Area under the curve of each reader in each arm."""
    rows = [(name, area_text(arm), str(arm.n)) for name, arm in reader_arms(analysis)]
    return TextTable(("Reader", "Area under the curve", "Cases"), rows)


def reader_arms(analysis: RatingAnalysis) -> Iterator[tuple[str, ReaderArm]]:
    """Each reader in each arm, named by the arm too where there are several."""
    for name, reader in analysis.readers.items():
        for arm, figures in reader.arms.items():
            yield f"{name}, {arm}" if len(analysis.counts.arms) > 1 else name, figures


def area_text(arm: ReaderArm) -> str:
    """A caller's area under the curve with its interval."""
    return value_text(arm.auc, arm.auc_ci, missing=arm.auc_ci_missing)


def means(analysis: RatingAnalysis) -> dict[str, SingleArm]:
    """By endpoint and arm, in words, the mean over all readers."""
    return {
        f"{ENDPOINT_WORDS[endpoint]}, {arm}": mean
        for endpoint, together in _by_endpoint(analysis).items()
        for arm, mean in together.single_arm.items()
    }


def means_table(analysis: RatingAnalysis, confidence: str) -> TextTable:
    """`means` with their intervals, whose confidence the heading names, such as `95%`."""
    rows = [(name, value_text(mean.auc, mean.logit_ci, missing=mean.reason)) for name, mean in means(analysis).items()]
    return TextTable(("Mean over readers", f"Value ({confidence} interval)"), rows)


def arm_differences(analysis: RatingAnalysis) -> dict[str, ManyReaders]:
    """By endpoint, in words, the difference of the two arms over all readers."""
    together = _by_endpoint(analysis).items()
    return {ENDPOINT_WORDS[endpoint]: each.mrmc for endpoint, each in together if each.mrmc is not None}


def arm_differences_table(analysis: RatingAnalysis) -> TextTable:
    """`arm_differences` for each view of what was drawn by chance."""
    rows = []
    for endpoint, many in arm_differences(analysis).items():
        views: tuple[tuple[str, ManyReaders | Comparison | None], ...] = (
            ("other readers, other cases", many),
            ("these readers, other cases", many.fixed_readers),
            ("other readers, these cases", many.fixed_cases),
        )
        rows += [(endpoint, view, _tested(many.difference, test)) for view, test in views if test is not None]
    return TextTable(("Endpoint", "For", "Difference"), rows)


def _by_endpoint(analysis: RatingAnalysis) -> dict[Endpoint, ShareAnalysis]:
    return {Endpoint.AUC: ShareAnalysis(analysis.mrmc, analysis.single_arm, {})} | analysis.shares


def cautions(figures: Mapping[str, ManyReaders | SingleArm | AgainstModel]) -> list[str]:
    """What figures of several readers rest on and what to mind, a sentence or more a figure; none where nothing is."""
    lines = []
    for name, figure in figures.items():
        basis = [] if figure.basis is None or not figure.basis.text else [f"{figure.basis.text}."]
        if basis or figure.cautions:
            lines.append(f"{name}: {' '.join([*basis, *figure.cautions])}")
    return lines


def by_patient_table(analysis: ClusteredAnalysis) -> TextTable:
    """Readers' figures with intervals by patients."""
    names = ("auc", *_PAIRED)
    readers = ((name, arm, figures) for name, arms in analysis.readers.items() for arm, figures in arms.items())
    everybody = (("all readers", arm, figures) for arm, figures in analysis.together.items())
    rows = [
        (f"{name}, {arm}", *(_clustered(figures.get(field)) for field in names))
        for name, arm, figures in (*readers, *everybody)
    ]
    return TextTable(("Reader", "Area", *(_SHARES[name] for name in _PAIRED)), rows)


def network_table(network: NetworkComparison) -> TextTable:
    """Each reader minus a network, and all readers together minus it."""
    rows = []
    for reader in network.readers:
        calls = reader.calls or {}
        rows.append((reader.title, _paired_area(reader.aucs), *(_paired_calls(calls.get(name)) for name in _PAIRED)))
    if network.together is not None:
        shares = (network.shares.get(Endpoint(name)) for name in _PAIRED)
        tests = (network.together, *shares)
        rows.append(("all readers", *("" if test is None else _tested(test.difference, test) for test in tests)))
    return TextTable(("Reader minus network", "Area", *(_SHARES[name] for name in _PAIRED)), rows)


def network_by_patient_table(network: NetworkComparison) -> TextTable:
    """All readers minus a network with intervals by patients."""
    rows = [(name, _clustered(figure, is_signed=True)) for name, figure in network.by_patient.items()]
    return TextTable(("All readers minus the network, intervals by patients", ""), rows)


def _paired_area(areas: PairedAucs | None) -> str:
    if areas is None:
        return "too few cases in common"
    n_cases = "" if areas.n is None else f"; {areas.n} cases"
    return _difference_text(areas.difference, areas.ci, areas.p, missing=areas.reason) + n_cases


def _paired_calls(calls: PairedCalls | None) -> str:
    if calls is None or calls.difference is None:
        return ""
    at_odds = "" if calls.at_odds is None else f" ({calls.at_odds})"
    difference = _difference_text(calls.difference, calls.ci, calls.p, missing=calls.reason)
    return f"{difference}; right alone {calls.b} : {calls.c}; {calls.n} cases{at_odds}"


def agreement_tables(analysis: StudyAnalysis) -> list[TextTable]:
    """Agreement between readers, a table an arm, then within readers; none where nothing was computed."""
    agreement = {} if analysis.readers is None else analysis.readers.agreement
    tables = [
        TextTable((f"Between readers, {arm}" if len(agreement) > 1 else "Between readers", "Value (interval)", "Cases"),
                  list(agreement_rows(coefficients)))
        for arm, coefficients in agreement.items()
    ]  # fmt: skip
    again = [
        (analysis.title(name), value_text(kappa.value, kappa.ci), str(kappa.n))
        for name, kappa in analysis.again.items()
    ]
    tables.append(TextTable(("Within a reader: Cohen's kappa", "Value (interval)", "Cases read twice"), again))
    return [table for table in tables if table.rows]


def agreement_rows(agreement: ArmAgreement) -> Iterator[tuple[str, str, str]]:
    """Each coefficient of all readers, then Cohen's kappa of each pair, with its interval and its cases."""
    coefficients = {title: getattr(agreement, name) for name, title in _AGREEMENT.items()}
    for title, coefficient in coefficients.items():
        if coefficient is not None:
            yield title, value_text(coefficient.value, coefficient.ci), str(coefficient.n)
    for pair in agreement.pairs:
        if pair.cohen is not None:
            title = f"Cohen's kappa, {pair.first} and {pair.second}"
            yield title, value_text(pair.cohen.value, pair.cohen.ci), str(pair.n)


def calibration_table(callers: tuple[CallerCalibration, ...]) -> TextTable:
    """Calibration of each reader and each network."""
    rows = [
        (caller.title, str(caller.n_cases), _estimate(caller.brier), _estimate(caller.ece),
         _estimate(caller.overconfidence, is_signed=True), _estimate(caller.overcalling, is_signed=True))
        for caller in callers
    ]  # fmt: skip
    return TextTable(("", "Cases", "Brier score", "Calibration error", "Overconfidence", "Overcalling"), rows)


def times_table(results: StudyResults) -> TextTable:
    """Reading times of each reader."""
    rows = [
        (results.title(reader), f"{reader.times.median:.0f} ({reader.times.lower:.0f} to {reader.times.upper:.0f})",
         str(reader.times.n))
        for reader in results.readers
        if reader.times is not None
    ]  # fmt: skip
    return TextTable(("Reader", "Median seconds a case (quartiles)", "Cases"), rows)


def amendments_table(conduct: StudyConduct) -> TextTable:
    """Changes since the seal."""
    rows = [(f"{each.at:%Y-%m-%d %H:%M}", each.by, each.text, each.reason) for each in conduct.amendments]
    return TextTable(("UTC", "By", "Change", "Reason"), rows)


def exposures_table(conduct: StudyConduct) -> TextTable:
    """What each reader had seen of the cases before reading them."""
    rows = [
        (each.display_name, f"{each.n_exposed} of {each.n_cases}", each.text, str(each.n_withheld), str(each.n_flagged))
        for each in conduct.exposures
    ]
    return TextTable(("Reader", "Exposed to", "How", "Not given", "Read and flagged"), rows)


def refusals_table(conduct: StudyConduct) -> TextTable:
    """What readers asked for and were refused."""
    rows = [(each.display_name, each.what, str(each.times)) for each in conduct.refusals]
    return TextTable(("Reader", "Asked for", "Times"), rows)


def _tested(difference: float, test: ManyReaders | Comparison | AgainstModel) -> str:
    return _difference_text(difference, test.ci, test.p, missing=test.reason, is_cut=test.is_cut)


def _difference_text(
    difference: float | None, ci: Bounds | None, p: float | None, *, missing: str | None, is_cut: bool = False
) -> str:
    text = value_text(difference, ci, is_cut=is_cut, missing=missing, is_signed=True)
    return text if p is None or difference is None else f"{text.removesuffix(')')}; p {p_text(p)})"


def _clustered(figure: Clustered | None, *, is_signed: bool = False) -> str:
    return "" if figure is None else value_text(figure.value, figure.ci, is_signed=is_signed)


def _estimate(estimate: Estimate, *, is_signed: bool = False) -> str:
    return value_text(estimate.value, estimate.bounds, missing=estimate.missing, is_signed=is_signed)
