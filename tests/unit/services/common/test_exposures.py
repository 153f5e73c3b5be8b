import json
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from colpo_core.services.cases import case as cases
from colpo_core.services.cases import histology
from colpo_core.services.common import exposures
from colpo_core.services.common.callers import Caller
from colpo_core.services.people import accounts as people
from colpo_core.store import Store
from colpo_core.store.tables import Exposure, Person, utc_now
from colpo_core.terms import ExposureKind, Grade, Label, SpecimenKind
from tests.conftest import AddCase
from tests.support import store_rows
from tests.support.clinic import PredictedClinic
from tests.support.exposures import seen_by
from tests.support.ledger import borrowed_looks, services
from tests.support.refusals import refused

L, H, P, M, A = (
    ExposureKind.LABEL,
    ExposureKind.HISTOLOGY,
    ExposureKind.PREDICTION,
    ExposureKind.MASK,
    ExposureKind.ANNOTATED,
)
# A new service that is not among these has to note what it shows, or say here why it shows nothing.
SHOWS_NOTHING = {
    "counts and figures over many cases, none of them named": {
        "agreement.overview.image_figures",
        "overview.cohort.agreement_spread",
        "overview.cohort.annotator_progress",
        "overview.cohort.area_by_grade",
        "overview.cohort.model_drift",
        "overview.cohort.queue_state",
        "training.preflight.preflight",
        "training.preflight.start_probe",
        "training.retraining.retraining",
        "training.retraining.set_retraining",
        "snapshots.freezing.freeze_unattended",
        "overview.cohort.recruitment",
        "overview.cohort.reviewer_rates",
        "overview.cohort.unseen_figures",
        "overview.dashboard.dashboard",
        "models.evaluations.list_evaluations",
        "snapshots.external_sets.external_sets",
        "snapshots.external_sets.seen_by",
        "overview.worklist.worklist",
        "models.promotions.list_promotions",
        "review.desk.agreement",
        "snapshots.freezing.find_snapshot",
        "snapshots.freezing.get_snapshot",
        "snapshots.freezing.list_snapshots",
        "snapshots.freezing.mask_authors",
        "maintenance.storage.measure_storage",
        "studies.results.study_results",
    },
    "rows of cases, which note what they show once they are looked at; and one's own views": {
        "cases.lists.find_case_ids",
        "cases.lists.list_choices",
        "cases.saved_views.delete_view",
        "cases.saved_views.list_views",
        "cases.saved_views.save_view",
    },
    "checkpoints by name, hash and figures, without the rows of their cards that name cases": {
        "models.registry.find_checkpoint",
        "models.registry.list_checkpoints",
        "models.evaluations.start_evaluation",
        "models.human_ceiling.human_ceiling",
        "models.cards.model_card",
        "workers.foreground.predict_files",
        "models.promotion_checks.check_promotion",
        "models.promotions.promote_checkpoint",
        "training.retraining.rule_like",
    },
    "which prediction is the next to be reviewed, and nothing of what it says": {"review.desk.next_for_review"},
    "jobs and their logs": {
        "jobs.control.cancel_job",
        "jobs.control.get_job",
        "jobs.control.job_events",
        "jobs.control.job_log",
        "jobs.control.jobs_under_way",
        "jobs.control.list_jobs",
        "models.predicting.last_prediction",
        "models.predicting.predictions_under_way",
        "jobs.control.move_to_front",
        "jobs.control.pause_job",
        "jobs.control.resume_job",
        "training.starting.run_again",
        "models.predicting.start_prediction",
        "models.predicting.start_prediction_of_cases",
        "training.starting.start_training",
        "workers.reproduce.reproduce_paper",
        "studies.missing_predictions.predict_missing",
    },
    "one's own masks and points, noted when they were painted": {
        "annotations.own_masks.open_annotation",
        "annotations.own_masks.open_document",
        "imports.filling.fill_draft",
        "studies.readings.save_reading_draft",
        "annotations.biopsy_points.biopsy_points",
        "cases.findings_proposal.lesion_images",
        "cases.findings_proposal.propose_clock_hour",
        "cases.findings_proposal.propose_findings",
    },
    "images and where they wait, without what is known of them": {
        "annotations.workbench.next_image",
        "annotations.workbench.next_image_to_confirm",
        "annotations.clear_images.list_unmarked",
        "common.stored_images.get_image",
        "cases.image_questions.asked_images",
        "cases.image_questions.confirm_images",
        "cases.image_questions.refile_images",
        "common.stored_images.image_bytes",
        "common.stored_images.image_thumbnail",
        "common.stored_images.mark_image",
        "tasks.queue.my_queues",
        "tasks.queue.open_item",
        "tasks.queue.queue_items",
        "tasks.queue.queue_place",
        "tasks.queue.resume_item",
        "tasks.queue.skip_item",
        "tasks.tasks.annotator_choices",
        "tasks.tasks.close_task",
        "tasks.tasks.create_task",
        "tasks.tasks.list_tasks",
        "tasks.tasks.preview_task",
        "tasks.tasks.task_progress",
    },
    "changes what the page of the case shows, and that page notes it": {
        "cases.case.update_case",
        "cases.histology.set_clock_hour",
        "cases.histology.set_site",
        "cases.histology.withdraw_specimen",
    },
    "the colposcopic findings, which are none of the kinds": {
        "cases.findings.get_findings",
        "cases.findings.save_findings",
    },
    "people, settings and the log of them": {
        "maintenance.back_ups.heal",
        "maintenance.checking.check_store",
        "maintenance.checking.last_check",
        "maintenance.nightly.get_plan",
        "maintenance.nightly.set_plan",
        "maintenance.back_ups.back_up",
        "maintenance.back_ups.last_back_up",
        "people.accounts.change_password",
        "people.accounts.create_person",
        "people.accounts.list_people",
        "people.accounts.set_active",
        "people.accounts.set_password",
        "people.accounts.set_role",
        "common.preferences.get_preferences",
        "common.preferences.set_proposals",
        "studies.refusals.note_refusal",
    },
    "blinded by design": {"studies.presenting.assigned_studies", "studies.presenting.presented_image"},
    "figures over all cases of a study": {"studies.report.report_html", "studies.report.study_report"},
    "studies in counts": {
        "studies.designing.close_study",
        "studies.designing.create_study",
        "studies.designing.discard_study",
        "studies.designing.open_study",
        "studies.designing.preview_choice",
        "studies.designing.study_options",
        "studies.amendments.add_reader",
        "studies.amendments.correct_question",
        "studies.amendments.remove_reader",
        "studies.conduct.note_look",
        "studies.conduct.study_conduct",
        "studies.rows.get_study",
        "studies.rows.list_studies",
    },
}


def test_every_service_notes_what_it_shows_or_is_known_to_show_nothing() -> None:
    found, silent = services(), set().union(*SHOWS_NOTHING.values())
    forgotten = {name for name, notes in found.items() if not notes} - silent
    assert forgotten == set(), "these show something of a case, perhaps, and write no exposure"
    assert silent - found.keys() == set(), "these are no services any more"
    assert {name for name in silent if found[name]} == set(), "these note exposures, so they show something"


def test_no_service_has_another_one_note_what_only_that_one_shows() -> None:
    """Rows come from functions that note nothing; whoever shows somebody something of a case notes that alone."""
    assert borrowed_looks() == set()


def test_the_log_tells_the_grade_of_a_specimen(administrator: Caller, annotator: Caller, desk: PredictedClinic) -> None:
    case_id = desk.cases[0].case_id
    histology.add_specimen(annotator, case_id=case_id, kind=SpecimenKind.LEEP, grade=Grade.CIN2)
    people.list_audit(administrator)
    assert seen_by(administrator) == {(case_id, H)}


def test_looks_within_a_minute_are_one_and_later_ones_count(
    store: Store, annotator: Caller, add_case: AddCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = add_case(Label.HSIL)
    for _ in range(3):
        exposures.note(annotator, [(case_id, L)])
    monkeypatch.setattr(exposures, "_SAME_LOOK_SECONDS", 0.0)
    exposures.note(annotator, [(case_id, L)])
    exposures.note(annotator, [(case_id, L)], within_study=5)
    outside, inside = store_rows.rows(store, Exposure)
    assert (outside.times, inside.times, inside.within_study) == (2, 1, 5)
    assert outside.first_at < outside.last_at


def test_a_locked_store_stops_no_look_and_loses_none(
    store: Store, annotator: Caller, desk: PredictedClinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exposures, "_PATIENCE_MS", 1)
    first, second = desk.cases[0].case_id, desk.cases[1].case_id
    with store.writing() as busy:
        busy.execute(select(Person))
        assert cases.get_case(annotator, case_id=first).id == first
        refused(OperationalError, lambda: exposures.settle(store, patience_ms=1))
    assert seen_by(annotator) == set()
    cases.get_case(annotator, case_id=second)
    assert seen_by(annotator) == {(first, L), (first, P), (second, L), (second, P)}
    assert list(store.settings.data_dir.glob("exposures-*.jsonl")) == []


def test_what_waited_keeps_its_time_and_a_torn_line_is_left_out(annotator: Caller, add_case: AddCase) -> None:
    case_id, at = add_case(), utc_now() - timedelta(days=3)
    whole = json.dumps({"at": at.isoformat(), "lines": [[annotator.person_id, case_id, "mask", 0]]})
    (annotator.store.settings.data_dir / "exposures-taken.jsonl").write_text(f"{whole}\n")
    (annotator.store.settings.data_dir / "exposures-waiting.jsonl").write_text(
        f'{whole.replace("mask", "label")}\n{{"at": "20'
    )
    exposures.settle(annotator.store)
    assert {(row.kind, row.first_at) for row in store_rows.rows(annotator, Exposure)} == {(M, at), (L, at)}


def test_a_full_disk_stops_no_look(annotator: Caller, desk: PredictedClinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposures, "_PATIENCE_MS", 1)
    monkeypatch.setattr(exposures, "_waiting_path", lambda _: annotator.store.settings.data_dir / "no" / "folder")
    with annotator.store.writing() as busy:
        busy.execute(select(Person))
        assert cases.get_case(annotator, case_id=desk.cases[0].case_id).id
