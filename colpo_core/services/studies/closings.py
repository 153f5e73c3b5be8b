"""What was found when a study was closed, kept for good, and what a report that is made anew computes otherwise."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy.orm import Session

from colpo_core import __version__
from colpo_core.errors import ColpoError
from colpo_core.exchange.study_figures import report_figures
from colpo_core.records.studies.conduct import StudyConduct
from colpo_core.records.studies.designs import StudyDetail
from colpo_core.records.studies.reports import ComputedAnew, FigureChange, ReportFigure, StudyReport
from colpo_core.records.studies.results import StudyAnalysis, StudyResults
from colpo_core.services.common.counting import count_rows
from colpo_core.services.studies.conduct import changed_labels
from colpo_core.services.studies.evidence import StudyEvidence, read_evidence
from colpo_core.services.studies.reader_names import ReaderNames
from colpo_core.services.studies.readers import plan_of
from colpo_core.services.studies.results import analysis_of, results_of
from colpo_core.services.studies.rows import check_seal
from colpo_core.store import Store
from colpo_core.store.facts import find_row
from colpo_core.store.tables import Reading, Study, StudyClosing, utc_now
from colpo_core.studies.methods import METHODS_VERSION, changes_since

# A study that was closed before anybody wrote it down was judged by the first.
_FIRST_METHODS = 1
_NUMBERS = ("value", "low", "high", "p")
_COUNTS = ("k", "n", "b", "c")
_PRIMARY = ("figures", "difference", "ci", "p", "n_cases", "non_inferiority")
# Generators of random numbers may add in another order on another machine.
_SAME = 1e-9


def find_now(store: Store, study_id: int) -> dict[str, Any]:
    """All figures of a study as they are found now, as plain values; the caller answers for what becomes of them.

    Where they cannot be found, such as because a snapshot's file is damaged, `refused` says why.

    Raises:
        NotFound: There is no such study.
    """
    with store.reading() as session:
        study = find_row(session, Study, study_id)
        figures: dict[str, Any] = {"n_readings": count_readings(session, study_id)}
        try:
            evidence = read_evidence(store, session, study, check_seal(session, study))
            results, analysis = results_of(evidence), analysis_of(evidence)
        except ColpoError as error:
            return figures | {"refused": str(error)}
        return figures | {
            "primary": [_plain(asdict(primary)) | {"text": primary.text} for primary in analysis.primary],
            "figures": [_plain(asdict(figure)) for figure in _figures(study, results, analysis)],
            "readers": {name: person_id for person_id, name in evidence.names.names.items()},
        }


def count_readings(session: Session, study_id: int) -> int:
    """Readings of a study so far: whether what was found a moment ago still holds."""
    return count_rows(session, Reading, Reading.study_id == study_id)


def write_closing(session: Session, study: Study, results: Mapping[str, Any]) -> None:
    """Keep what was found at a study's closing, and by which methods, in the transaction that closes it."""
    relabelled = changed_labels(session, study.id).n
    session.add(
        StudyClosing(
            study_id=study.id,
            at=study.closed_at or utc_now(),
            code_version=__version__,
            methods_version=METHODS_VERSION,
            found={**results, "relabelled": relabelled},
        )
    )


def computed_anew(
    session: Session, evidence: StudyEvidence, results: StudyResults, analysis: StudyAnalysis
) -> ComputedAnew | None:
    """What of a closed study is computed otherwise now than at its closing; None before the closing."""
    study, names = evidence.study, evidence.names
    if study.closed_at is None:
        return None
    closing = session.get(StudyClosing, study.id)
    if closing is None:
        return ComputedAnew(None, _FIRST_METHODS, METHODS_VERSION, changes_since(_FIRST_METHODS))
    closed = closing.found
    before, after = closed.get("primary", []), [_plain(asdict(primary)) for primary in analysis.primary]
    is_same = len(before) == len(after) and all(map(_is_same_primary, before, after))
    then, now = _renamed(closed, names), _figures(study, results, analysis)
    changed = [
        FigureChange((new or old or now[0]).name, _text(old), _text(new))
        for old, new in _pairs(then, now)
        if not _is_same(old, new)
    ]
    return ComputedAnew(
        closing.code_version,
        closing.methods_version,
        METHODS_VERSION,
        changes_since(closing.methods_version),
        primary_before=() if is_same else tuple(names.scrub(str(primary["text"])) for primary in before),
        primary_differs=not is_same and "refused" not in closed,
        figures=tuple(changed) if "refused" not in closed else (),
        n_figures=len(then),
        refused=str(closed.get("refused", "")),
    )


def _figures(study: Study, results: StudyResults, analysis: StudyAnalysis) -> list[ReportFigure]:
    plan = plan_of(study)
    detail = StudyDetail(results.study, "", (), (), (), (), plan)
    conduct = StudyConduct(plan.exposure_rule, bool(plan.interim_results))
    made_at = study.closed_at or utc_now()
    return report_figures(StudyReport(detail, results, analysis, conduct, study.seed, __version__, made_at))


def _renamed(closed: Mapping[str, Any], names: ReaderNames) -> list[ReportFigure]:
    """The figures that were kept, with the readers called as they are called now."""
    called = {name: names.of(person_id, name) for name, person_id in closed.get("readers", {}).items()}
    figures = []
    for values in closed.get("figures", []):
        figure = ReportFigure(
            **{key: value for key, value in values.items() if key in ReportFigure.__dataclass_fields__}
        )
        if figure.caller_kind == "reader":
            figure = replace(figure, caller=called.get(figure.caller, figure.caller))
        if figure.versus is not None and figure.versus_channels is None:
            figure = replace(figure, versus=called.get(figure.versus, figure.versus))
        figures.append(figure)
    return figures


def _pairs(
    then: Sequence[ReportFigure], now: Sequence[ReportFigure]
) -> Iterator[tuple[ReportFigure | None, ReportFigure | None]]:
    """Each figure of the closing beside the same one of now: by another method too, where there is but one of each."""
    before, after = _grouped(then), _grouped(now)
    for what in dict.fromkeys([*after, *before]):
        old, new = before.get(what, {}), after.get(what, {})
        if len(old) <= 1 and len(new) <= 1:
            yield next(iter(old.values()), None), next(iter(new.values()), None)
        else:
            yield from ((old.get(method), new.get(method)) for method in dict.fromkeys([*new, *old]))


def _grouped(figures: Sequence[ReportFigure]) -> dict[tuple[object, ...], dict[str, ReportFigure]]:
    """By what they are of, and then by method: some are given by two."""
    grouped: dict[tuple[object, ...], dict[str, ReportFigure]] = {}
    for figure in figures:
        values = asdict(figure)
        what = tuple(value for name, value in values.items() if name not in (*_NUMBERS, *_COUNTS, "method"))
        grouped.setdefault(what, {})[figure.method] = figure
    return grouped


def _is_same(old: ReportFigure | None, new: ReportFigure | None) -> bool:
    if old is None or new is None:
        return old is new
    return all(_is_same_number(getattr(old, name), getattr(new, name)) for name in (*_NUMBERS, *_COUNTS))


def _is_same_primary(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return all(_is_same_value(before[name], after[name]) for name in _PRIMARY if name in before and name in after)


def _is_same_value(old: object, new: object) -> bool:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return all(_is_same_value(old[key], new[key]) for key in old.keys() & new.keys())
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_is_same_value, old, new))
    return _is_same_number(old, new)


def _is_same_number(old: object, new: object) -> bool:
    if isinstance(old, int | float) and isinstance(new, int | float):
        return abs(old - new) <= _SAME * max(1.0, abs(old))
    return old == new


def _text(figure: ReportFigure | None) -> str:
    """A figure with its interval and p."""
    if figure is None:
        return "not given"
    if figure.value is None:
        return "not defined"
    text = f"{figure.value:.4f}"
    if figure.low is not None and figure.high is not None:
        text += f" ({figure.low:.4f} to {figure.high:.4f})"
    if figure.p is not None:
        text += f", p {figure.p:.4f}"
    return text + (f", n {figure.n}" if figure.n is not None else "")


def _plain(values: Any) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """Values as JSON keeps them; what is None in a record is left out."""
    if isinstance(values, Mapping):
        return {str(key): _plain(value) for key, value in values.items() if value is not None}
    if isinstance(values, Sequence) and not isinstance(values, str):
        return [_plain(value) for value in values]
    return None if isinstance(values, float) and not math.isfinite(values) else values
