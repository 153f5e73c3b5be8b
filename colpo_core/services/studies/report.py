"""A study's report: one page for a reviewer, and a ZIP file with which somebody else computes every number anew."""

from dataclasses import replace

from sqlalchemy.orm import Session

from colpo_core import __version__
from colpo_core.records.studies.conduct import StudyConduct
from colpo_core.records.studies.reports import StudyReport
from colpo_core.records.studies.results import ReadingTable
from colpo_core.services.common import exposures
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import ADMINISTRATORS, allowed
from colpo_core.services.studies.closings import computed_anew
from colpo_core.services.studies.conduct import note_look, record_json, seen_in_record, study_conduct
from colpo_core.services.studies.evidence import StudyEvidence, closed_evidence
from colpo_core.services.studies.exports import reading_table, seen_in_tables
from colpo_core.services.studies.results import analysis_of, results_of
from colpo_core.services.studies.rows import study_detail
from colpo_core.store import Store
from colpo_core.store.tables import utc_now


@allowed(ADMINISTRATORS)
def study_report(caller: Caller, *, study_id: int, by_number: bool = False) -> StudyReport:
    """All that the report says.

    Args:
        caller: An administrator.
        study_id: The study.
        by_number: Whether readers are numbered in place of named: see `ReaderNames`.

    Raises:
        NotFound: There is no such study.
        StudyLocked: The study is not closed and no look before is in its design, or it is no longer what was sealed.
    """
    note_look(caller, study_id=study_id)
    conduct = study_conduct(caller, study_id=study_id, by_number=by_number)
    with caller.store.reading() as session:
        return _report_of(
            caller.store, session, closed_evidence(caller.store, session, study_id, by_number=by_number), conduct
        )


def _report_of(store: Store, session: Session, evidence: StudyEvidence, conduct: StudyConduct) -> StudyReport:
    study, names = evidence.study, evidence.names
    results, analysis = results_of(evidence), analysis_of(evidence)
    detail = study_detail(store, session, study, evidence.record)
    return StudyReport(
        detail=replace(
            detail,
            study=replace(detail.study, name=names.scrub(study.name), question=names.scrub(study.question)),
            plan=replace(detail.plan, hypotheses=names.scrub(detail.plan.hypotheses)),
            readers=tuple(
                replace(reader, display_name=names.of(reader.reader_id, reader.display_name))
                for reader in detail.readers
            ),
        ),
        results=results,
        analysis=analysis,
        conduct=conduct,
        seed=study.seed,
        code_version=__version__,
        made_at=study.closed_at or utc_now(),
        anew=computed_anew(session, evidence, results, analysis),
    )


@allowed(ADMINISTRATORS)
def report_html(caller: Caller, *, study_id: int, by_number: bool = False) -> str:
    """The report as one HTML file that stands alone and prints to PDF; for its arguments see `study_report`.

    Raises:
        NotFound: There is no such study.
        StudyLocked: See `study_report`.
    """
    # Only here: matplotlib takes a second to import, and few visits ask for a report.
    from colpo_core.exchange.study_report import study_report_html

    return study_report_html(study_report(caller, study_id=study_id, by_number=by_number))


@allowed(ADMINISTRATORS)
def report_archive(caller: Caller, *, study_id: int, by_number: bool = False) -> bytes:
    """A ZIP file with the report, the locked readings, every figure, and a script in R that computes them anew.

    For its arguments see `study_report`; with numbers no file in it names a reader.

    Raises:
        NotFound: There is no such study.
        StudyLocked: See `study_report`.
    """
    from colpo_core.exchange.study_archive import figures_csv, study_archive
    from colpo_core.exchange.study_figures import report_figures
    from colpo_core.exchange.study_report import study_report_html

    note_look(caller, study_id=study_id)
    conduct = study_conduct(caller, study_id=study_id, by_number=by_number)
    with caller.store.reading() as session:
        evidence = closed_evidence(caller.store, session, study_id, by_number=by_number)
        report = _report_of(caller.store, session, evidence, conduct)
        tables = {table: reading_table(session, evidence, table) for table in ReadingTable}
        record = record_json(session, evidence.study, evidence.design, conduct, evidence.names)
    exposures.note(caller, [*seen_in_tables(evidence, ReadingTable), *seen_in_record(evidence.design)])
    return study_archive(
        report.detail.study.name,
        {
            "report.html": study_report_html(report).encode(),
            "readings.csv": tables[ReadingTable.CALLS],
            "ratings.csv": tables[ReadingTable.RATINGS],
            "record.json": record,
            "figures.csv": figures_csv(report_figures(report)),
        },
    )
