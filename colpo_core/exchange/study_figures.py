"""Every number of a study's report by name, so that somebody else can compute it anew from the readings."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from colpo_core.records.statistics.figures import Bounds, CallFigures, Estimate
from colpo_core.records.statistics.rater_agreement import ArmAgreement, Coefficient
from colpo_core.records.statistics.rating_analysis import Clustered, ClusteredAnalysis, RatingAnalysis
from colpo_core.records.statistics.reader_figures import Endpoint, PairedAucs, PairedCalls, ReaderArm
from colpo_core.records.studies.reports import ReportFigure, StudyReport
from colpo_core.records.studies.results import CallerCalibration, CallerFigures, NetworkComparison
from colpo_core.terms import Arm

_SHARES = ("accuracy", "sensitivity", "specificity", "ppv", "npv")
_PAIRED = ("accuracy", "sensitivity", "specificity")
_TABLE_ALPHA = 0.05
_QUARTILES = {"lower": 0.25, "median": 0.5, "upper": 0.75}
_TOGETHER = ("fleiss", "gwet_ac1", "krippendorff_alpha", "krippendorff_alpha_ordinal")
_METHODS = {"mcnemar": "newcombe"}
_CALIBRATION = ("brier", "ece", "overconfidence", "overcalling")


def report_figures(report: StudyReport) -> list[ReportFigure]:
    """Every number, in the order of the report."""
    alpha = report.detail.plan.alpha
    figures = [figure for caller in report.results.readers for figure in _of_reader(caller)]
    figures += [figure for caller in report.results.checkpoints for figure in _of_checkpoint(caller)]
    if report.analysis.readers is not None:
        figures += _of_analysis(report.analysis.readers, alpha)
    for network in report.analysis.networks:
        figures += _of_network(network, alpha)
    for name, coefficient in report.analysis.again.items():
        line = ReportFigure("cohen_again", "jackknife-wilson", "reader", name, arm=Arm.UNAIDED.value, alpha=alpha)
        figures.append(_coefficient(line, coefficient))
    for judged in report.analysis.calibration:
        figures += _of_calibration(judged)
    return figures


def _of_reader(reader: CallerFigures) -> Iterator[ReportFigure]:
    if reader.times is None:
        return
    line = ReportFigure("accuracy", "clopper-pearson", "reader", reader.name, arm=str(reader.arm), alpha=_TABLE_ALPHA)
    yield from _shares(line, reader.figures)
    for name, quantile in _QUARTILES.items():
        yield replace(
            line,
            figure="seconds",
            method="time",
            quantile=quantile,
            value=getattr(reader.times, name),
            n=reader.times.n,
        )


def _of_checkpoint(network: CallerFigures) -> Iterator[ReportFigure]:
    line = ReportFigure(
        "accuracy", "clopper-pearson", "checkpoint", network.name, channels=network.channels, alpha=_TABLE_ALPHA
    )
    yield from _shares(line, network.figures)
    if network.unseen is not None:
        yield from _shares(replace(line, scope="unseen"), network.unseen)


def _shares(line: ReportFigure, figures: CallFigures) -> Iterator[ReportFigure]:
    for name in _SHARES:
        share = getattr(figures, name)
        yield replace(line, figure=name, value=share.value, low=share.low, high=share.high, k=share.k, n=share.n)


def _of_analysis(analysis: RatingAnalysis, alpha: float) -> Iterator[ReportFigure]:
    for name, reader in analysis.readers.items():
        for arm, figures in reader.arms.items():
            yield from _of_arm(ReportFigure("auc", "newcombe-5", "reader", name, arm=arm, alpha=alpha), figures)
        pair = tuple(reader.arms)
        if len(pair) > 1:
            line = ReportFigure(
                "auc_difference", "delong", "reader", name, arm=pair[0], alpha=alpha, versus_arm=pair[1]
            )
            yield from _paired(line, reader.delong, reader.mcnemar)
    arms = analysis.counts.arms
    by_endpoint = {Endpoint.AUC: (analysis.mrmc, analysis.single_arm)}
    by_endpoint |= {name: (share.mrmc, share.single_arm) for name, share in analysis.shares.items()}
    for endpoint, (many, single) in by_endpoint.items():
        for arm, mean in single.items():
            yield _filled(_together(endpoint.value, arm, alpha), mean.auc, mean.logit_ci)
        if many is not None:
            line = replace(_together(f"{endpoint.value}_difference", arms[0], alpha), versus_arm=arms[1])
            yield _filled(line, many.difference, many.ci, p=many.p)
    if analysis.by_patient is not None:
        yield from _of_patients(analysis.by_patient, arms, alpha)
    for arm, agreement in analysis.agreement.items():
        yield from _of_agreement(arm, agreement, alpha)


def _of_patients(analysis: ClusteredAnalysis, arms: Sequence[str], alpha: float) -> Iterator[ReportFigure]:
    """Of these readers, with intervals over patients."""
    for name, of_reader in analysis.readers.items():
        for arm, figures in of_reader.items():
            yield from _clustered(ReportFigure("", "over-patients", "reader", name, arm=arm, alpha=alpha), figures)
    for arm, figures in analysis.together.items():
        yield from _clustered(ReportFigure("", "over-patients", "readers", arm=arm, alpha=alpha), figures)
    if len(arms) > 1:
        line = ReportFigure("", "over-patients", "readers", arm=arms[0], versus_arm=arms[1], alpha=alpha)
        yield from _clustered(line, analysis.difference, suffix="_difference")
        for name, figures in analysis.differences.items():
            yield from _clustered(replace(line, caller_kind="reader", caller=name), figures, suffix="_difference")


def _clustered(line: ReportFigure, figures: dict[str, Clustered], *, suffix: str = "") -> Iterator[ReportFigure]:
    for name, figure in figures.items():
        yield _filled(line, figure.value, figure.ci, figure=f"{name}{suffix}")


def _together(figure: str, arm: str, alpha: float) -> ReportFigure:
    return ReportFigure(figure, "obuchowski-rockette", "readers", arm=arm, alpha=alpha)


def _of_arm(line: ReportFigure, figures: ReaderArm) -> Iterator[ReportFigure]:
    if figures.auc is not None:
        yield _filled(line, figures.auc, figures.auc_ci, method=figures.auc_ci_method or line.method)


def _paired(
    line: ReportFigure, aucs: PairedAucs | None, calls: dict[str, PairedCalls] | None
) -> Iterator[ReportFigure]:
    if aucs is not None:
        yield _filled(line, aucs.difference, aucs.ci, method=aucs.method, p=aucs.p, n=aucs.n)
    for name in _PAIRED if calls else ():
        paired = (calls or {})[name]
        yield _filled(
            line,
            paired.difference,
            paired.ci,
            figure=f"{name}_difference",
            method=_METHODS.get(paired.method, paired.method),
            p=paired.p,
            n=paired.n,
            b=paired.b,
            c=paired.c,
        )


def _of_agreement(arm: str, agreement: ArmAgreement, alpha: float) -> Iterator[ReportFigure]:
    line = ReportFigure("cohen_pair", "jackknife-wilson", "readers", arm=arm, alpha=alpha)
    for name in _TOGETHER:
        coefficient: Coefficient | None = getattr(agreement, name)
        if coefficient is not None:
            yield _coefficient(replace(line, figure=name), coefficient)
    for pair in agreement.pairs:
        if pair.cohen is not None:
            of_pair = replace(line, caller_kind="reader", caller=pair.first, versus=pair.second)
            yield _coefficient(of_pair, pair.cohen)


def _coefficient(line: ReportFigure, coefficient: Coefficient) -> ReportFigure:
    return _filled(line, coefficient.value, coefficient.ci, n=coefficient.n)


def _of_network(network: NetworkComparison, alpha: float) -> Iterator[ReportFigure]:
    if network.alone is None:
        return
    own = ReportFigure("auc", "newcombe-5", "checkpoint", network.name, network.channels, scope="unseen", alpha=alpha)
    yield from _of_arm(own, network.alone)
    against = ReportFigure(
        "auc_difference",
        "delong",
        "reader",
        arm=Arm.UNAIDED.value,
        versus=network.name,
        versus_channels=network.channels,
        alpha=alpha,
    )
    for reader in network.readers:
        yield from _paired(replace(against, caller=reader.reader), reader.aucs, reader.calls)
    together = {} if network.together is None else {Endpoint.AUC: network.together}
    for endpoint, comparison in (together | network.shares).items():
        line = replace(against, caller_kind="readers", method="obuchowski-rockette")
        figure = f"{endpoint.value}_difference"
        yield _filled(line, comparison.difference, comparison.ci, figure=figure, p=comparison.p)
    yield from _clustered(
        replace(against, caller_kind="readers", method="over-patients"), network.by_patient, suffix="_difference"
    )


def _filled(line: ReportFigure, value: float | None, ci: Bounds | None, **others: Any) -> ReportFigure:  # noqa: ANN401 - fields of the figure
    """A line with its value and interval."""
    low, high = ci or (None, None)
    return replace(line, value=value, low=low, high=high, **others)


def _of_calibration(caller: CallerCalibration) -> Iterator[ReportFigure]:
    is_reader = caller.channels is None
    line = ReportFigure(
        "brier", "bootstrap", "reader" if is_reader else "checkpoint", caller.name, caller.channels,
        arm=Arm.UNAIDED.value if is_reader else None, scope="all" if is_reader else "unseen",
    )  # fmt: skip
    for name in _CALIBRATION:
        estimate: Estimate = getattr(caller, name)
        method = "bootstrap" if name == "ece" else "t-by-patients"
        yield replace(line, figure=name, method=method, value=estimate.value, low=estimate.low, high=estimate.high)
