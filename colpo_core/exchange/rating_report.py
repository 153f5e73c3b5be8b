"""The analysis of ratings as text for a terminal and as JSON for other programs."""

from collections.abc import Iterable
from dataclasses import asdict, fields, replace
from typing import Any

from colpo_core.records.figures import Bounds, p_text, value_text
from colpo_core.records.reader_statistics import (
    ENDPOINT_WORDS,
    ArmAgreement,
    Clustered,
    ClusteredAnalysis,
    Coefficient,
    Endpoint,
    ManyReaders,
    NonInferiority,
    PairedCalls,
    RatingAnalysis,
    ReaderArm,
    ShareAnalysis,
)
from colpo_core.records.studies import StudyAnalysis

_CALLS = ("sensitivity", "specificity", "ppv", "npv", "accuracy")
_DIGITS = 4


def rating_json(analysis: RatingAnalysis) -> dict[str, Any]:
    """Everything, with the names of the records' fields; a coefficient's interval stands beside it as `NAME_ci`."""
    found = asdict(analysis)
    found["agreement"] = {arm: _agreement_json(one) for arm, one in analysis.agreement.items()}
    return found


def rating_text(analysis: RatingAnalysis) -> str:
    """Lines for a terminal."""
    counts = analysis.counts
    lines = [
        f"{counts.cases} cases ({counts.positive} with the condition), {len(counts.readers)} readers, treatments "
        f"{', '.join(counts.arms)}; intervals of {100 * (1 - float(analysis.options['alpha'] or 0)):g}%"
    ]
    for name, reader in analysis.readers.items():
        lines += ["", f"Reader {name}"]
        for arm, one in reader.arms.items():
            lines += _reader_lines(arm, one)
        if reader.delong is not None:
            paired = reader.delong
            lines.append(f"  difference of areas {_text(paired.difference, paired.ci)}, DeLong p {_p(paired.p)}")
        for what, calls in (reader.mcnemar or {}).items():
            lines.append(f"  difference of {_calls_text(what, calls)}")
    by_endpoint = {Endpoint.AUC: ShareAnalysis(analysis.mrmc, analysis.single_arm, analysis.against_model)}
    for endpoint, together in (by_endpoint | analysis.shares).items():
        lines += _together_lines(together, ENDPOINT_WORDS[endpoint], str(analysis.options["covariance"]))
    if analysis.by_patient is not None:
        lines += ["", *_by_patient_lines(analysis.by_patient)]
    for arm, agreement in analysis.agreement.items():
        lines += ["", f"Agreement in treatment {arm}", *_agreement_lines(agreement)]
    return "\n".join([*lines, *_refused_lines(analysis.refused)])


def study_text(analysis: StudyAnalysis) -> str:
    """The statistics of a study of this program, for a terminal."""
    lines = [*analysis.notes, *(one.text for one in analysis.primary)]
    if analysis.readers is not None:
        lines += ["", rating_text(replace(analysis.readers, refused=()))]
    lines += [
        f"{analysis.title(name)} with herself or himself: Cohen's kappa {_text(one.value, one.ci)}, "
        f"{one.n} cases read twice"
        for name, one in analysis.again.items()
    ]
    for network in analysis.networks:
        lines += ["", f"Readers minus {network.name}, {network.channels} channels, {network.n_cases} cases"]
        for one in network.readers:
            if one.aucs is None or one.calls is None:
                lines.append(f"  {one.title}: too few cases in common")
                continue
            lines.append(f"  {one.title}: area {_text(one.aucs.difference, one.aucs.ci)}, DeLong p {_p(one.aucs.p)}")
            lines += [f"  {one.title}: {_calls_text(what, calls)}" for what, calls in one.calls.items()]
        if network.together is not None:
            together = network.together
            lines.append(f"  all readers: area {_text(together.difference, together.ci)}, p {_p(together.p)}")
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
        yield f"Treatment {arm}, mean over readers: {endpoint} {_text(single.auc, single.ci)}"
        against = together.against_model.get(arm)
        if against is not None:
            difference = _text(against.difference, against.ci)
            yield f"  against the model's {against.model:.4f}: {difference}, p {_p(against.p)}"
            yield from _non_inferiority_lines(against.non_inferiority, "the model")


def _by_patient_lines(found: ClusteredAnalysis) -> Iterable[str]:
    yield (
        f"By patients: {found.n_patients} of them, drawn whole {found.resamples} times; for these readers, on other "
        "patients"
    )
    for name, arms in found.readers.items():
        for arm, figures in arms.items():
            yield f"  reader {name}, treatment {arm}: {_clustered_text(figures)}"
    for name, figures in found.differences.items():
        yield f"  reader {name}, difference: {_clustered_text(figures)}"
    for arm, figures in found.together.items():
        yield f"  all readers, treatment {arm}: {_clustered_text(figures)}"
    if found.difference:
        yield f"  all readers, difference: {_clustered_text(found.difference)}"
    for arm, figures in found.against_model.items():
        yield f"  all readers, treatment {arm} minus the model: {_clustered_text(figures)}"


def _clustered_text(figures: dict[str, Clustered]) -> str:
    return "; ".join(f"{name} {_text(one.value, one.ci)}" for name, one in figures.items())


def _calls_text(what: str, calls: PairedCalls) -> str:
    return (
        f"{what} {_text(calls.difference, calls.ci)}, right alone {calls.b} against {calls.c}, McNemar p {_p(calls.p)}"
    )


def _reader_lines(arm: str, one: ReaderArm) -> Iterable[str]:
    if one.auc is not None:
        yield f"  treatment {arm}: area {_text(one.auc, one.auc_ci)}, {one.n} cases"
    for name in _CALLS:
        share = getattr(one, name)
        if share is not None:
            yield f"  treatment {arm}: {name} {share.text()}"
    for name in ("ppv", "npv"):
        at = getattr(one, f"{name}_at_prevalence")
        if at is not None:
            yield f"  treatment {arm}: {name} at the given prevalence {_text(at.value, at.ci)}"


def _many_lines(many: ManyReaders, endpoint: str, method: str) -> Iterable[str]:
    means = ", ".join(f"{arm} {value:.4f}" for arm, value in many.auc.items())
    yield f"All readers, {endpoint}: {means} (Obuchowski-Rockette, Hillis; covariance by {method})"
    for view, one in (
        ("random readers and cases", many),
        ("these readers, other cases", many.fixed_readers),
        ("these cases, other readers", many.fixed_cases),
    ):
        yield f"  difference {_text(many.difference, one.ci)}, p {_p(one.p)}: {view}"
    yield from _non_inferiority_lines(many.non_inferiority, "the first")


def _non_inferiority_lines(held: NonInferiority | None, of: str) -> Iterable[str]:
    if held is not None:
        said = "cannot be told" if held.is_shown is None else "shown" if held.is_shown else "not shown"
        yield f"  non-inferiority of {of} at a margin of {held.margin:g}: {said}"


def _agreement_lines(agreement: ArmAgreement) -> Iterable[str]:
    for field in fields(agreement):
        value = getattr(agreement, field.name)
        name = field.name.replace("_", " ")
        if isinstance(value, Coefficient):
            yield f"  {name} {_text(value.value, value.ci)}"
        elif value:
            yield f"  {name} " + "; ".join(f"{pair} {_text(one.value, one.ci)}" for pair, one in value.items())


def _refused_lines(refused: Iterable[str]) -> Iterable[str]:
    said = list(refused)
    return ["", *said] if said else []


def _agreement_json(agreement: ArmAgreement) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in fields(agreement):
        value = getattr(agreement, field.name)
        if isinstance(value, dict):
            found[field.name] = {pair: one.value for pair, one in value.items()}
            found[f"{field.name}_ci"] = {pair: one.ci for pair, one in value.items()}
        else:
            found[field.name] = None if value is None else value.value
            found[f"{field.name}_ci"] = None if value is None else value.ci
    return found


def _text(value: float | None, ci: Bounds | None) -> str:
    return value_text(value, ci, digits=_DIGITS)


def _p(p: float | None) -> str:
    return p_text(p, digits=_DIGITS)
