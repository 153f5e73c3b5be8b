from datetime import timedelta

import numpy as np
import pytest

from benchmarks.filled_store import fill
from colpo_core.datasets.manifest import Manifest, ManifestItem
from colpo_core.errors import PermissionDenied
from colpo_core.evaluation.intervals import exact_share
from colpo_core.labels import RULES_VERSION
from colpo_core.records.overview.cohort import DriftAlarm
from colpo_core.records.people import Actor
from colpo_core.services.cases import lowest_agreement
from colpo_core.services.cases.histology import add_specimen
from colpo_core.services.common.callers import Caller
from colpo_core.services.overview import cohort
from colpo_core.services.review.verdicts import record_review
from colpo_core.services.snapshots.learned import fill_learned
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.tables import AnnotationVersion, Case, CaseSummary, Image, ImageFigures, Prediction, Snapshot
from colpo_core.terms import Grade, JobState, Label, LabelSource, ReviewReason, Role, SpecimenKind, Split, Verdict
from tests.conftest import add_person
from tests.support import store_rows
from tests.support.clinic import SIDE_PX, Clinic, PredictedClinic
from tests.support.handed_out import make_team, paint_and_submit
from tests.support.refusals import refused
from tests.support.store_rows import change
from tests.unit.services.cases.test_lists import hand_out

ADA = Actor(1, "ada", "Ada", Role.ADMINISTRATOR)


@pytest.fixture
def filled(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two hundred and forty cases, the first half of which is the current model's test side."""
    store = Store.open(Settings(data_dir=tmp_path_factory.mktemp("cohort")))
    fill(store, 240, seed=1)
    with store.writing() as session:
        images = session.query(Image).filter(Image.stage == "acetic_acid", Image.case_id <= 120).all()
        items = tuple(
            ManifestItem(
                image.sha256, image.id, image.case_id, image.case.patient_id, Split.TEST, SIDE_PX, SIDE_PX,
                Label.NORMAL, Grade.NORMAL, None, None, simulated=False,
            )
            for image in images
        )  # fmt: skip
        manifest = Manifest(items, (), LabelSource.HISTOLOGY, RULES_VERSION, 0, (0.0, 0.0, 1.0))
        snapshot = session.query(Snapshot).one()
        snapshot.sha256 = store.blobs.put(manifest.to_json())
        snapshot.created_at = session.get_one(Case, 120).created_at + timedelta(seconds=1)
    fill_learned(store)
    return store


def test_recruitment_counts_every_case_once_in_its_month(filled: Store) -> None:
    counts = cohort.recruitment(Caller(filled, ADA))
    assert sum(one.n for one in counts) == 240
    assert [one.month for one in counts] == sorted(one.month for one in counts)
    rows = store_rows.rows(filled, CaseSummary, CaseSummary.grade == Grade.CIN3)
    expected = {row.examined_on.isoformat()[:7] for row in rows}
    assert {one.month for one in counts if one.grade is Grade.CIN3} == expected
    assert cohort.recruitment(Caller(filled, ADA), include_simulated=False) == counts


def test_what_was_counted_is_kept_until_something_is_done(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    count = cohort._rows
    monkeypatch.setattr(cohort, "_rows", lambda session, query: asked.append(1) or count(session, query))
    before = cohort.recruitment(Caller(filled, ADA))
    assert cohort.recruitment(Caller(filled, ADA)) == before
    assert len(asked) == 1
    add_specimen(Caller(filled, ADA), case_id=1, kind=SpecimenKind.LEEP, grade=Grade.INVASIVE_CARCINOMA)
    after = cohort.recruitment(Caller(filled, ADA))
    assert len(asked) == 2
    assert after != before


def test_areas_are_quartiles_of_the_cases_means(filled: Store) -> None:
    areas = {one.grade: one for one in cohort.area_by_grade(Caller(filled, ADA))}
    with filled.reading() as session:
        rows = (
            session.query(CaseSummary.case_id, Prediction.acetowhite_fraction)
            .join(Image, Image.case_id == CaseSummary.case_id)
            .join(Prediction, Prediction.image_id == Image.id)
            .filter(Prediction.checkpoint_id == 2, CaseSummary.grade == Grade.CIN1)
            .all()
        )
    expected = np.quantile([area for _, area in rows], (0, 0.25, 0.5, 0.75, 1))
    found = areas[Grade.CIN1]
    assert found.n == len(rows)
    assert [found.lowest, found.lower_quartile, found.median, found.upper_quartile, found.highest] == pytest.approx(
        expected.tolist()
    )


def test_curves_are_of_labelled_cases_whose_patients_the_model_has_not_met(store: Store, administrator: Caller) -> None:
    clinic = PredictedClinic(administrator)
    four, three = cohort.unseen_figures(administrator)
    assert (four.channels, four.n_cases, three.n_cases) == (4, 2, 2), "the third was learned from, and has no label"
    change(store, Prediction, clinic.predictions[1], prob_hsil_4ch=0.9)
    change(store, Prediction, clinic.predictions[0], prob_hsil_4ch=0.1)
    record_review(administrator, prediction_id=clinic.predictions[0], verdict=Verdict.AGREE)
    four, _ = cohort.unseen_figures(administrator)
    assert (four.auc.value, four.auc.low) == (1.0, None), "no interval from one patient of each label"
    assert sum(one.observed.n for one in four.reliability) == 2


def test_of_very_many_cases_the_newest_are_taken(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cohort, "MOST_JUDGED", 40)
    four, _ = cohort.unseen_figures(Caller(filled, ADA))
    assert four.n_cases == 40
    assert four.n_all > 150
    assert four.auc.low is not None
    assert four.auc.low < (four.auc.value or 0) <= 1


def test_drift_is_between_the_test_side_and_what_came_in_since(filled: Store) -> None:
    found = {one.name: one for one in cohort.model_drift(Caller(filled, ADA))}
    score = found["Probability of HSIL, 4 channels"]
    assert min(score.n_reference, score.n_current) >= 50
    assert score.alarm is not DriftAlarm.ALARM
    with filled.writing() as session:
        for row in session.query(Prediction).join(Image).filter(Image.case_id > 120):
            row.prob_hsil_4ch = 0.95
        for figures in session.query(ImageFigures).join(Image, Image.id == ImageFigures.image_id):
            if figures.image_id % 2 and session.get_one(Image, figures.image_id).case_id > 120:
                figures.brightness *= 0.6  # every other one since then, as from a second device
    record_review(Caller(filled, ADA), prediction_id=1, verdict=Verdict.AGREE)
    moved = {one.name: one.alarm for one in cohort.model_drift(Caller(filled, ADA))}
    assert moved["Probability of HSIL, 4 channels"] is DriftAlarm.ALARM
    assert moved["Probability of HSIL, 3 channels"] is not DriftAlarm.ALARM
    assert found["Brightness of the image"].alarm is not DriftAlarm.ALARM
    assert moved["Brightness of the image"] is DriftAlarm.ALARM
    assert moved["Sharpness of the image"] is not DriftAlarm.ALARM


def test_reviewers_are_counted_case_by_case(store: Store, administrator: Caller) -> None:
    clinic = PredictedClinic(administrator)
    otto = add_person(store, "otto")
    verdicts = (Verdict.OVERRULE, Verdict.AGREE, Verdict.UNSURE)
    for prediction_id, verdict in zip(clinic.predictions, verdicts, strict=True):
        because = None if verdict is Verdict.AGREE else ReviewReason.CALL
        record_review(otto, prediction_id=prediction_id, verdict=verdict, because=because)
    record_review(administrator, prediction_id=clinic.predictions[0], verdict=Verdict.AGREE)
    ada, second = cohort.reviewer_rates(administrator)
    assert (ada.name, ada.overruled, ada.n_unsure) == ("Ada", exact_share(0, 1), 0)
    assert (second.name, second.overruled, second.n_unsure) == ("Otto", exact_share(1, 2), 1)


def test_without_a_model_there_is_nothing_to_say(administrator: Caller) -> None:
    assert cohort.unseen_figures(administrator) == ()
    assert cohort.model_drift(administrator) == ()
    assert cohort.area_by_grade(administrator) == ()
    assert cohort.recruitment(administrator) == ()
    assert cohort.queue_state(administrator).jobs == {}


def test_the_queue_is_counted_by_state(filled: Store) -> None:
    state = cohort.queue_state(Caller(filled, ADA))
    assert (state.jobs, state.n_silent) == ({JobState.DONE: 1}, 0)


def test_annotators_progress_counts_images_and_takes_the_time_of_all_versions(
    store: Store, annotator: Caller, reader: Caller, clinic: Clinic
) -> None:
    cases = clinic.add_cohort(3)
    clinic.add_version(cases[0].annotation_id, np.ones((SIDE_PX, SIDE_PX), np.bool_))
    with store.writing() as session:
        versions = session.query(AnnotationVersion).order_by(AnnotationVersion.id).all()
        for version, seconds in zip(versions, (40, 100, None, 30), strict=True):
            version.active_ms = None if seconds is None else seconds * 1000
    hand_out(store, cases[1].image_id, [annotator.person_id], blind=False, proposals=True)
    found = cohort.annotator_progress(annotator)
    assert [(one.name, one.n_images, one.n_waiting, one.n_timed) for one in found] == [
        ("Anna", 0, 1, 0),
        ("Painter", 3, 0, 2),
    ]
    assert [one.median_seconds for one in found] == [None, pytest.approx((70 + 100) / 2)]
    refused(PermissionDenied, lambda: cohort.annotator_progress(reader))


def test_agreement_is_by_case_and_leaves_out_what_one_paints_blind(store: Store, administrator: Caller) -> None:
    team = make_team(administrator)
    empty = cohort.agreement_spread(administrator)
    assert (empty.n, empty.median) == (0, None)
    image_id = Clinic(store).add_case(masked=False).image_id
    paint_and_submit(team.anna, image_id, side_px=4)
    paint_and_submit(team.ben, image_id, side_px=5)
    assert cohort.agreement_spread(administrator).n_uncompared == 1
    lowest_agreement.complete(store)
    found = cohort.agreement_spread(administrator)
    assert (found.n, found.n_uncompared) == (1, 0)
    assert found.median == pytest.approx(2 * 16 / (16 + 25))
    hand_out(store, image_id, list(team.annotator_ids), blind=True, proposals=True)
    assert cohort.agreement_spread(team.anna).n == 0
