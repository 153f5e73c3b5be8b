"""A study's report: one page for a reviewer, and a ZIP file with which somebody else computes every number anew."""

from colpo_core import __version__
from colpo_core.records.people import Actor
from colpo_core.records.reports import StudyReport
from colpo_core.services import exposures
from colpo_core.services.permissions import ADMINISTRATORS, require
from colpo_core.services.study_conduct import study_conduct, study_content
from colpo_core.services.study_records import get_study, get_study_row
from colpo_core.services.study_results import study_analysis, study_calls, study_ratings, study_results
from colpo_core.store import Store
from colpo_core.store.tables import utc_now
from colpo_core.terms import ExposureKind


def study_report(store: Store, *, actor: Actor, study_id: int) -> StudyReport:
    """All that the report says.

    Raises:
        PermissionDenied: The actor is no administrator.
        NotFound: There is no such study.
        StudyLocked: The study is not closed and no look before is in its design, or it is no longer what was sealed.
    """
    require(actor, ADMINISTRATORS)
    results = study_results(store, actor=actor, study_id=study_id)
    with store.reading() as session:
        study = get_study_row(session, study_id)
        seed, closed_at = study.seed, study.closed_at
    return StudyReport(
        detail=get_study(store, actor=actor, study_id=study_id),
        results=results,
        analysis=study_analysis(store, actor=actor, study_id=study_id),
        conduct=study_conduct(store, actor=actor, study_id=study_id),
        seed=seed,
        code_version=__version__,
        made_at=closed_at or utc_now(),
    )


def report_html(store: Store, *, actor: Actor, study_id: int) -> str:
    """The report as one HTML file that stands alone and prints to PDF.

    Raises:
        PermissionDenied: The actor is no administrator.
        NotFound: There is no such study.
        StudyLocked: See `study_report`.
    """
    # Only here: matplotlib takes a second to import, and few visits ask for a report.
    from colpo_core.exchange.study_report import study_report_html

    return study_report_html(study_report(store, actor=actor, study_id=study_id))


def report_archive(store: Store, *, actor: Actor, study_id: int) -> bytes:
    """A ZIP file with the report, the locked readings, every figure, and a script in R that computes them anew.

    Raises:
        PermissionDenied: The actor is no administrator.
        NotFound: There is no such study.
        StudyLocked: See `study_report`.
    """
    from colpo_core.exchange.study_archive import figures_csv, study_archive
    from colpo_core.exchange.study_figures import report_figures
    from colpo_core.exchange.study_report import study_report_html

    report = study_report(store, actor=actor, study_id=study_id)
    calls, judged = study_calls(store, study_id)
    ratings, _ = study_ratings(store, study_id)
    content, told = study_content(store, actor, study_id)
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
