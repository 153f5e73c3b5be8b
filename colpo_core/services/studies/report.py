"""A study's report: one page for a reviewer, and a ZIP file with which somebody else computes every number anew."""

from dataclasses import replace

from colpo_core import __version__
from colpo_core.records.people import Actor
from colpo_core.records.studies.reports import StudyReport
from colpo_core.services.common import exposures
from colpo_core.services.common.permissions import ADMINISTRATORS, require
from colpo_core.services.studies.closings import computed_anew
from colpo_core.services.studies.conduct import study_conduct, study_content
from colpo_core.services.studies.reader_names import reader_names
from colpo_core.services.studies.results import study_analysis, study_calls, study_ratings, study_results
from colpo_core.services.studies.rows import get_study, get_study_row
from colpo_core.store import Store
from colpo_core.store.tables import utc_now
from colpo_core.terms import ExposureKind


def study_report(store: Store, *, actor: Actor, study_id: int, by_number: bool = False) -> StudyReport:
    """All that the report says.

    Args:
        store: The open store.
        actor: An administrator.
        study_id: The study.
        by_number: Whether readers are numbered in place of named: see `ReaderNames`.

    Raises:
        PermissionDenied: The actor is no administrator.
        NotFound: There is no such study.
        StudyLocked: The study is not closed and no look before is in its design, or it is no longer what was sealed.
    """
    require(actor, ADMINISTRATORS)
    results = study_results(store, actor=actor, study_id=study_id, by_number=by_number)
    analysis = study_analysis(store, actor=actor, study_id=study_id, by_number=by_number)
    detail = get_study(store, actor=actor, study_id=study_id)
    with store.reading() as session:
        study = get_study_row(session, study_id)
        seed, closed_at = study.seed, study.closed_at
        names = reader_names(session, study, by_number=by_number)
        anew = computed_anew(session, study, results, analysis, names)
        shown = replace(detail.study, name=names.scrub(study.name), question=names.scrub(study.question))
        plan = replace(detail.plan, hypotheses=names.scrub(detail.plan.hypotheses))
    readers = tuple(replace(one, display_name=names.of(one.reader_id, one.display_name)) for one in detail.readers)
    return StudyReport(
        detail=replace(detail, study=shown, plan=plan, readers=readers),
        results=results,
        analysis=analysis,
        conduct=study_conduct(store, actor=actor, study_id=study_id, by_number=by_number),
        seed=seed,
        code_version=__version__,
        made_at=closed_at or utc_now(),
        anew=anew,
    )


def report_html(store: Store, *, actor: Actor, study_id: int, by_number: bool = False) -> str:
    """The report as one HTML file that stands alone and prints to PDF; for its arguments see `study_report`.

    Raises:
        PermissionDenied: The actor is no administrator.
        NotFound: There is no such study.
        StudyLocked: See `study_report`.
    """
    # Only here: matplotlib takes a second to import, and few visits ask for a report.
    from colpo_core.exchange.study_report import study_report_html

    return study_report_html(study_report(store, actor=actor, study_id=study_id, by_number=by_number))


def report_archive(store: Store, *, actor: Actor, study_id: int, by_number: bool = False) -> bytes:
    """A ZIP file with the report, the locked readings, every figure, and a script in R that computes them anew.

    For its arguments see `study_report`; with numbers no file in it names a reader.

    Raises:
        PermissionDenied: The actor is no administrator.
        NotFound: There is no such study.
        StudyLocked: See `study_report`.
    """
    from colpo_core.exchange.study_archive import figures_csv, study_archive
    from colpo_core.exchange.study_figures import report_figures
    from colpo_core.exchange.study_report import study_report_html

    report = study_report(store, actor=actor, study_id=study_id, by_number=by_number)
    calls, judged = study_calls(store, study_id, by_number=by_number)
    ratings, _ = study_ratings(store, study_id, by_number=by_number)
    content, told = study_content(store, actor, study_id, by_number=by_number)
    seen = [(case_id, ExposureKind.LABEL) for case_id in judged | told]
    seen += [(case_id, ExposureKind.PREDICTION) for case_id in judged]
    exposures.note(store, actor, seen)
    return study_archive(
        report.detail.study.name,
        {
            "report.html": study_report_html(report).encode(),
            "readings.csv": calls,
            "ratings.csv": ratings,
            "record.json": content,
            "figures.csv": figures_csv(report_figures(report)),
        },
    )
