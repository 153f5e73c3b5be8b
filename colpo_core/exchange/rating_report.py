"""The analysis of ratings as text for a terminal and as JSON for other programs."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from colpo_core.records.statistics.figures import Bounds, p_text, value_text
from colpo_core.records.statistics.multi_reader_figures import (
    U_STATISTIC,
    AgainstModel,
    Basis,
    Comparison,
    ManyReaders,
    SingleArm,
)
from colpo_core.records.statistics.rater_agreement import ArmAgreement, Coefficient, PairAgreement
from colpo_core.records.statistics.rating_analysis import (
    Clustered,
    ClusteredAnalysis,
    RatingAnalysis,
    SeveralReaders,
    ShareAnalysis,
)
from colpo_core.records.statistics.reader_figures import ENDPOINT_WORDS, Endpoint, PairedAucs, PairedCalls, ReaderArm
from colpo_core.records.studies.results import StudyAnalysis
from colpo_core.studies.rater_agreement import FEWEST_CALLS, FEWEST_PATIENTS

_CALLS = ("sensitivity", "specificity", "ppv", "npv", "accuracy")
_DIGITS = 4
_OF_PAIRS = ("cohen", "cohen_linear", "cohen_quadratic")
_OF_ALL = {
    "fleiss": "Fleiss' kappa",
    "gwet_ac1": "Gwet's AC1",
    "krippendorff_alpha": "Krippendorff's alpha",
    "krippendorff_alpha_ordinal": "Krippendorff's alpha of the ratings, as ranks",
}


def rating_json(analysis: RatingAnalysis) -> dict[str, Any]:
    """Everything, with the names of the records' fields.

    Beside a coefficient of agreement stand its interval as `NAME_ci` and its cases as `NAME_n`. Pairs of readers are a
    list with `first` and `second`; the same kappas stand by `FIRST-SECOND` too, with the names in quotation marks where
    two pairs would have one key.
    """
    content = asdict(analysis)
    content["agreement"] = {arm: _agreement_json(agreement) for arm, agreement in analysis.agreement.items()}
    return content


def rating_text(analysis: RatingAnalysis) -> str:
    """Lines for a terminal."""
    counts = analysis.counts
    lines = [
        f"{counts.cases} cases ({counts.positive} with the condition), {len(counts.readers)} readers, treatments "
        f"{', '.join(counts.arms)}; intervals of {100 * (1 - float(analysis.options['alpha'] or 0)):g}%",
        *analysis.notes,
    ]
    lines += analysis.table_notes
    for name, reader in analysis.readers.items():
        lines += ["", f"Reader {name}"]
        for arm, figures in reader.arms.items():
            lines += _reader_lines(arm, figures)
        if reader.delong is not None:
            paired = reader.delong
            lines.append(f"  difference of areas {_paired_area(paired)}")
        for what, calls in (reader.mcnemar or {}).items():
            lines.append(f"  difference of {_calls_text(what, calls)}")
    by_endpoint = {Endpoint.AUC: ShareAnalysis(analysis.mrmc, analysis.single_arm, analysis.against_model)}
    for endpoint, together in (by_endpoint | analysis.shares).items():
        lines += _together_lines(together, ENDPOINT_WORDS[endpoint], str(analysis.options["covariance"]))
    if analysis.complete_cases is not None:
        lines += ["", "Beside it, on the cases that all of these readers have read", *_beside(analysis.complete_cases)]
    if analysis.independent is not None:
        lines += [
            "",
            "For comparison alone, each case taken as a patient of its own: intervals are too narrow and p too small "
            "where patients have several cases",
            *_beside(analysis.independent),
        ]
    if analysis.by_patient is not None:
        lines += ["", *_by_patient_lines(analysis.by_patient)]
    for arm, agreement in analysis.agreement.items():
        lines += ["", f"Agreement in treatment {arm}", *_agreement_lines(agreement)]
    return "\n".join([*lines, *_refused_lines(analysis.refused)])


def study_text(analysis: StudyAnalysis) -> str:
    """The statistics of a study of this program, for a terminal."""
    lines = [*analysis.notes, *(result.text for result in analysis.primary)]
    if analysis.readers is not None:
        lines += ["", rating_text(replace(analysis.readers, refused=()))]
    lines += [
        f"{analysis.title(name)} with herself or himself: Cohen's kappa {_text(kappa.value, kappa.ci)}, "
        f"{kappa.n} cases read twice"
        for name, kappa in analysis.again.items()
    ]
    for network in analysis.networks:
        lines += ["", f"Readers minus {network.name}, {network.channels} channels, {network.n_cases} cases"]
        for reader in network.readers:
            if reader.aucs is None or reader.calls is None:
                lines.append(f"  {reader.title}: too few cases in common")
                continue
            lines.append(f"  {reader.title}: area {_paired_area(reader.aucs)}")
            lines += [f"  {reader.title}: {_calls_text(what, calls)}" for what, calls in reader.calls.items()]
        if network.together is not None:
            lines.append(f"  all readers: area {_against_text(network.together)}")
            lines += [f"  {caution}" for caution in network.together.cautions]
        if network.by_patient:
            lines.append(f"  all readers, by patients: {_clustered_text(network.by_patient)}")
        lines += [f"  {sentence}" for sentence in network.refused]
    for line in analysis.calibration:
        lines += ["", f"Calibration of {line.title}, {line.n_cases} cases: Brier score {line.brier.text()}"]
        lines.append(f"  expected calibration error {line.ece.text()}, overconfidence {line.overconfidence.text()}")
    return "\n".join(lines)


def _together_lines(together: ShareAnalysis, endpoint: str, method: str) -> Iterable[str]:
    if together.mrmc is not None:
        yield ""
        yield from _many_lines(together.mrmc, endpoint, method)
    for arm, single in together.single_arm.items():
        yield ""
        yield f"Treatment {arm}, mean over readers: {endpoint} {_single_text(single)}"
        yield from _basis_lines(single.basis)
        yield from (f"  {caution}" for caution in single.cautions)
        against = together.against_model.get(arm)
        if against is not None:
            yield f"  against the model's {against.model:.4f}: {_against_text(against)}"
            yield from _non_inferiority_lines(against, "the model")
            yield from (f"  {caution}" for caution in against.cautions if caution not in single.cautions)


def _by_patient_lines(analysis: ClusteredAnalysis) -> Iterable[str]:
    yield (
        f"Each reader by patients: {analysis.n_patients} of them, the cases of each taken together; for these readers, "
        "on other patients"
    )
    for name, arms in analysis.readers.items():
        for arm, figures in arms.items():
            yield f"  reader {name}, treatment {arm}: {_clustered_text(figures)}"
    for name, figures in analysis.differences.items():
        yield f"  reader {name}, difference: {_clustered_text(figures)}"
    for arm, figures in analysis.together.items():
        yield f"  all readers, treatment {arm}: {_clustered_text(figures)}"
    if analysis.difference:
        yield f"  all readers, difference: {_clustered_text(analysis.difference)}"
    for arm, figures in analysis.against_model.items():
        yield f"  all readers, treatment {arm} minus the model: {_clustered_text(figures)}"


def _clustered_text(figures: dict[str, Clustered]) -> str:
    return "; ".join(f"{name} {_text(figure.value, figure.ci)}" for name, figure in figures.items())


def _calls_text(what: str, calls: PairedCalls) -> str:
    how = "McNemar mid-p" if calls.method == "mcnemar" else "by patients p"
    difference = value_text(calls.difference, calls.ci, digits=_DIGITS, missing=calls.reason)
    p = "" if calls.p is None else f", {how} {_p(calls.p)}"
    at_odds = "" if calls.at_odds is None else f" ({calls.at_odds})"
    return f"{what} {difference}, right alone {calls.b} against {calls.c}{p}{at_odds}{_in_both(calls.n)}"


def _single_text(mean: SingleArm) -> str:
    return value_text(mean.auc, mean.logit_ci, missing=mean.reason, digits=_DIGITS)


def _against_text(comparison: AgainstModel) -> str:
    return _compared_text(comparison.difference, comparison)


def _compared_text(difference: float, comparison: AgainstModel | ManyReaders | Comparison) -> str:
    text = value_text(difference, comparison.ci, is_cut=comparison.is_cut, missing=comparison.reason, digits=_DIGITS)
    return text if comparison.p is None else f"{text}, p {_p(comparison.p)}"


def _beside(several: SeveralReaders) -> Iterable[str]:
    by_endpoint = {
        Endpoint.AUC: ShareAnalysis(several.mrmc, several.single_arm, several.against_model)
    } | several.shares
    for endpoint, together in by_endpoint.items():
        if together.mrmc is not None:
            difference = _compared_text(together.mrmc.difference, together.mrmc)
            yield f"  difference of {ENDPOINT_WORDS[endpoint]} {difference}{_on(together.mrmc.basis)}"
        for arm, single in together.single_arm.items():
            yield f"  treatment {arm}: {ENDPOINT_WORDS[endpoint]} {_single_text(single)}{_on(single.basis)}"
        for arm, against in together.against_model.items():
            yield f"  treatment {arm} minus the model: {ENDPOINT_WORDS[endpoint]} {_against_text(against)}"


def _paired_area(paired: PairedAucs) -> str:
    difference = value_text(paired.difference, paired.ci, digits=_DIGITS, missing=paired.reason)
    how = "DeLong p" if paired.method == "delong" else "by patients p"
    p = "" if paired.p is None else f", {how} {_p(paired.p)}"
    return f"{difference}{p}{_in_both(paired.n)}"


def _in_both(n: int | None) -> str:
    return "" if n is None else f", on the {n} cases read in both"


def _reader_lines(arm: str, figures: ReaderArm) -> Iterable[str]:
    if figures.auc is not None:
        area = value_text(figures.auc, figures.auc_ci, digits=_DIGITS, missing=figures.auc_ci_missing)
        yield f"  treatment {arm}: area {area}, {figures.n} cases"
    for name in _CALLS:
        share = getattr(figures, name)
        if share is not None:
            yield f"  treatment {arm}: {name} {share.text()}"
    for name in ("ppv", "npv"):
        at = getattr(figures, f"{name}_at_prevalence")
        if at is not None:
            yield f"  treatment {arm}: {name} at the given prevalence {_text(at.value, at.ci)}"


def _many_lines(many: ManyReaders, endpoint: str, method: str) -> Iterable[str]:
    means = ", ".join(f"{arm} {value:.4f}" for arm, value in many.auc.items())
    how = f"Obuchowski-Rockette, Hillis; covariance by {method}"
    if many.basis.method == U_STATISTIC:
        how = "U-statistics, degrees of freedom after Obuchowski, Gallas and Hillis"
    yield f"All readers, {endpoint}: {means} ({how})"
    yield from _basis_lines(many.basis)
    views: tuple[tuple[str, ManyReaders | Comparison | None], ...] = (
        ("random readers and cases", many),
        ("these readers, other cases", many.fixed_readers),
        ("these cases, other readers", many.fixed_cases),
    )
    for view, comparison in views:
        if comparison is not None:
            yield f"  difference {_compared_text(many.difference, comparison)}: {view}"
    yield from _non_inferiority_lines(many, "the first")
    yield from (f"  {caution}" for caution in many.cautions)


def _on(basis: Basis | None) -> str:
    return f"; {basis.text}" if basis is not None and basis.text else ""


def _basis_lines(basis: Basis | None) -> Iterable[str]:
    if basis is not None and basis.text:
        yield f"  {basis.text}"
    if basis is not None and basis.n_patients is not None:
        yield f"  by {basis.n_patients} patients, who have {basis.n_cases} cases"


def _non_inferiority_lines(comparison: ManyReaders | AgainstModel, of: str) -> Iterable[str]:
    test = comparison.non_inferiority
    if test is not None:
        outcome = "cannot be told" if test.is_shown is None else "shown" if test.is_shown else "not shown"
        skewed = test.skewed_low
        low = "" if skewed is None else f" (lower bound that minds how skewed figures near 1 are {skewed:.{_DIGITS}f})"
        yield f"  non-inferiority of {of} at a margin of {test.margin:g}: {outcome}{low}"


def _agreement_lines(agreement: ArmAgreement) -> Iterable[str]:
    for pair in agreement.pairs:
        kappas = [] if pair.cohen is None else [f"of the calls {_kappa_text(pair.cohen)}"]
        kappas += [
            f"of the ratings, linearly weighted {_kappa_text(pair.cohen_linear)}",
            f"quadratically weighted {_kappa_text(pair.cohen_quadratic)}",
        ]
        yield f"  {pair.first} and {pair.second}, {pair.n} cases: Cohen's kappa {', '.join(kappas)}"
    for name, title in _OF_ALL.items():
        coefficient: Coefficient | None = getattr(agreement, name)
        if coefficient is not None:
            by = "two or more" if "krippendorff" in name else "all"
            yield f"  {title} {_kappa_text(coefficient)}, {coefficient.n} cases read by {by}"
    if any(coefficient.ci is None and coefficient.value is not None for coefficient in _coefficients(agreement)):
        yield (
            f"  no interval where there are fewer than {FEWEST_PATIENTS} patients, or fewer than {FEWEST_CALLS} calls "
            "a reader of the rarer kind"
        )


def _coefficients(agreement: ArmAgreement) -> Iterable[Coefficient]:
    coefficients = [getattr(pair, name) for pair in agreement.pairs for name in _OF_PAIRS]
    coefficients += [getattr(agreement, name) for name in _OF_ALL]
    return (coefficient for coefficient in coefficients if coefficient is not None)


def _kappa_text(coefficient: Coefficient) -> str:
    return _text(coefficient.value, coefficient.ci)


def _refused_lines(refused: Sequence[str]) -> Sequence[str]:
    return ["", *refused] if refused else []


def _agreement_json(agreement: ArmAgreement) -> dict[str, Any]:
    keys = _pair_keys(agreement.pairs)
    content: dict[str, Any] = {"pairs": []}
    for pair in agreement.pairs:
        line: dict[str, Any] = {"first": pair.first, "second": pair.second, "n": pair.n}
        for name in _OF_PAIRS:
            line |= _coefficient_json(name, getattr(pair, name))
        content["pairs"].append(line)
    for name in _OF_PAIRS:
        of_pairs = {key: getattr(pair, name) for key, pair in zip(keys, agreement.pairs, strict=True)}
        known = {key: coefficient for key, coefficient in of_pairs.items() if coefficient is not None}
        content[name] = {key: coefficient.value for key, coefficient in known.items()}
        content[f"{name}_ci"] = {key: coefficient.ci for key, coefficient in known.items()}
        content[f"{name}_n"] = {key: coefficient.n for key, coefficient in known.items()}
    for name in _OF_ALL:
        content |= _coefficient_json(name, getattr(agreement, name))
    return content


def _coefficient_json(name: str, coefficient: Coefficient | None) -> dict[str, Any]:
    value, ci, n = (None, None, None) if coefficient is None else (coefficient.value, coefficient.ci, coefficient.n)
    return {name: value, f"{name}_ci": ci, f"{name}_n": n}


def _pair_keys(pairs: Iterable[PairAgreement]) -> list[str]:
    """`A-B` of each pair; where two would have one key (A with B-C, A-B with C), the names in quotation marks."""
    quoted = partial(json.dumps, ensure_ascii=False)
    keys = [(f"{pair.first}-{pair.second}", f"{quoted(pair.first)}-{quoted(pair.second)}") for pair in pairs]
    often = Counter(key for key, _ in keys)
    return [key if often[key] == 1 else in_quotes for key, in_quotes in keys]


def _text(value: float | None, ci: Bounds | None) -> str:
    return value_text(value, ci, digits=_DIGITS)


def _p(p: float | None) -> str:
    return p_text(p, digits=_DIGITS)
