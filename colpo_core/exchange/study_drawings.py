"""Drawings of a study's report as inline SVG: the flow of cases, ROC curves with readers' points, differences."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from colpo_core.exchange.html import document
from colpo_core.exchange.plots import MarkedPoint, forest_svg, roc_svg, wrapped
from colpo_core.records.statistics.curves import Curve, NamedEstimate
from colpo_core.records.statistics.figures import Bounds, Estimate, value_text
from colpo_core.records.studies.reports import StudyReport
from colpo_core.records.studies.results import NetworkComparison

_WIDTH_PX, _BOX_PX, _SIDE_PX = 860, 430, 360
_LINE_PX, _PAD_PX, _GAP_PX = 18, 12, 34
_LETTER_PX = 6.6


def flow_drawing(report: StudyReport) -> str:
    """The flow of cases, after STARD 2015: considered, left out, sealed, read by readers, judged by networks."""
    study, detail = report.detail.study, report.detail
    n_left_out = sum(count for _, count in detail.left_out)
    left_out = [f"Left out: {n_left_out}", *(f"{reason}: {count}" for reason, count in detail.left_out)]
    sealed = [
        f"Sealed: {study.n_cases} cases",
        f"HSIL {study.n_hsil}, normal {study.n_normal} by the reference standard",
    ]
    if study.n_simulated:
        sealed.append(f"{study.n_simulated} drawn by the program")
    practice = [f"Practice, outside the analysis: {study.n_practice}"] if study.n_practice else []
    steps: list[tuple[list[str], list[str]]] = [
        ([f"Considered: {study.n_cases + n_left_out} cases", detail.chosen_by], left_out if n_left_out else []),
        (sealed, practice),
        (["Read by", *_read(report)], _not_read(report)),
    ]
    networks = [(f"{each.name}, {each.channels} channels", each) for each in report.results.checkpoints]
    if networks:
        judged = [f"{name}: {each.n_called} of {each.n_cases} cases" for name, each in networks]
        learned = [f"{name}: {each.n_seen} learned from, not compared" for name, each in networks if each.n_seen]
        steps.append((["Judged by", *judged], learned))
    return _flow(steps)


def roc_drawing(network: NetworkComparison, report: StudyReport, *, marks: str) -> str | None:
    """A network's curve with the readers' points; None where it was not compared."""
    if not network.roc or network.alone is None or report.analysis.readers is None:
        return None
    alone = network.alone
    area = value_text(alone.auc, alone.auc_ci, digits=2)
    name = f"{network.name}, {network.channels} channels: area {area}"
    points = [
        MarkedPoint(
            f"{reader}, {arm}" if len(figures.arms) > 1 else reader,
            1 - shares.specificity.value,
            shares.sensitivity.value,
            _complement(shares.specificity.clopper_pearson or (0.0, 1.0)),
            shares.sensitivity.clopper_pearson or (0.0, 1.0),
        )
        for reader, figures in report.analysis.readers.readers.items()
        for arm, shares in figures.arms.items()
        if shares.sensitivity and shares.specificity
        if shares.sensitivity.value is not None and shares.specificity.value is not None
    ]
    return roc_svg([Curve(name, f"{network.channels}ch", network.roc)], marks=marks, points=points)


def _complement(bounds: Bounds) -> Bounds:
    return 1 - bounds[1], 1 - bounds[0]


def differences_drawing(network: NetworkComparison, *, marks: str) -> str | None:
    """Differences of areas, accuracy, sensitivity and specificity: each reader minus the network, and all together."""
    rows: dict[str, list[NamedEstimate]] = {"Area": [], "Accuracy": [], "Sensitivity": [], "Specificity": []}
    for reader in network.readers:
        if reader.aucs is None or reader.calls is None:
            continue
        differences = {"Area": (reader.aucs.difference, reader.aucs.ci)}
        differences |= {name.capitalize(): (paired.difference, paired.ci) for name, paired in reader.calls.items()}
        for title, listed in rows.items():
            listed.append(NamedEstimate(reader.title, _estimate(*differences[title], network.n_cases)))
    together = {} if network.together is None else {"Area": network.together}
    together |= {name.value.capitalize(): share for name, share in network.shares.items()}
    for title, listed in rows.items():
        if title in together:
            listed.append(
                NamedEstimate("all readers", _estimate(together[title].difference, together[title].ci, network.n_cases))
            )
    if not rows["Area"] or len({len(listed) for listed in rows.values()}) > 1:
        return None
    return forest_svg(rows, marks=marks)


def _estimate(value: float | None, ci: Bounds | None, n: int) -> Estimate:
    low, high = ci or (None, None)
    return Estimate(value, low, high, n, n)


def _read(report: StudyReport) -> Iterator[str]:
    for reader in report.results.readers:
        if reader.remark and not reader.n_called:
            yield f"{reader.name}: {reader.remark}"
        else:
            remark = f" ({reader.remark})" if reader.remark else ""
            yield f"{report.results.title(reader)}: {reader.n_called} of {reader.n_cases} cases{remark}"


def _not_read(report: StudyReport) -> list[str]:
    lines = []
    for exposure in report.conduct.exposures:
        if exposure.n_withheld:
            lines.append(f"{exposure.display_name}: {exposure.n_withheld} not given (exposed)")
        if exposure.n_flagged:
            lines.append(f"{exposure.display_name}: {exposure.n_flagged} read and flagged (exposed)")
    missing = report.detail.study.n_expected - report.detail.study.n_answered
    if missing > 0:
        lines.append(f"Readings missing at the closing: {missing}")
    return lines


@dataclass(frozen=True)
class _Step:
    """A box of the flow with what left it at this point, in lines, and where it lies in pixels."""

    top: int
    height: int
    main: list[str]
    side: list[str]


def _flow(steps: Sequence[tuple[list[str], list[str]]]) -> str:
    boxes, top = [], 4
    for main, side in steps:
        lines, side_lines = _fitted(main, _BOX_PX), _fitted(side, _SIDE_PX)
        height = 2 * _PAD_PX + _LINE_PX * max(len(lines), len(side_lines))
        boxes.append(_Step(top, height, lines, side_lines))
        top += height + _GAP_PX
    return document(
        "flow.svg", steps=boxes, width=_WIDTH_PX, height=top, box_width=_BOX_PX, side_width=_SIDE_PX, gap=_GAP_PX,
        padding=_PAD_PX, line_height=_LINE_PX,
    )  # fmt: skip


def _fitted(lines: Sequence[str], width_px: int) -> list[str]:
    """Lines that fit into a box: a longer one continues on the next, so that nothing of it is lost."""
    room = int((width_px - 2 * _PAD_PX) / _LETTER_PX)
    return [part for line in lines for part in wrapped(line, room).split("\n")]
