"""Why a model called so, with a real checkpoint: what looks alike, what the card knows, what changes with the mask."""

import numpy as np
import pytest
import torch
from sqlalchemy import select

from colpo_core.datasets.manifest import Manifest, ManifestItem
from colpo_core.errors import Blinding, Conflict, NotFound, PermissionDenied
from colpo_core.evaluation.likeness import pack_features
from colpo_core.labels import RULES_VERSION
from colpo_core.nets.checkpoint import save_checkpoint
from colpo_core.nets.pipeline import build_pipeline
from colpo_core.nets.spec import PipelineSpec
from colpo_core.services.common.callers import Caller
from colpo_core.services.models import predicting
from colpo_core.services.review import call_reasons
from colpo_core.services.review.call_reasons import calibration_band
from colpo_core.services.snapshots.learned import fill_learned
from colpo_core.store import Store
from colpo_core.store.tables import (
    Case,
    Checkpoint,
    Exposure,
    Image,
    Job,
    Patient,
    Prediction,
    PredictionFeatures,
    Promotion,
    Snapshot,
    WhatIf,
)
from colpo_core.terms import Change, ExposureKind, Finding, Grade, JobState, Label, LabelSource, Split
from colpo_core.workers.runner import run_job
from tests.conftest import add_person
from tests.support import store_rows
from tests.support.clinic import SIDE_PX, Clinic, make_card
from tests.support.store_rows import change, get
from tests.unit.services.cases.test_lists import hand_out

pytestmark = pytest.mark.usefixtures("placed")


class Ward:
    """Six labelled cases that a real checkpoint has predicted; it has learned from the first two patients."""

    def __init__(self, administrator: Caller) -> None:
        self.store, self.clinic = administrator.store, Clinic(administrator.store)
        self.cases = self.clinic.add_cohort(6)
        self.bare = self.clinic.add_case(grades=())
        with torch.random.fork_rng():
            torch.manual_seed(0)
            pipeline = build_pipeline(PipelineSpec(segnet_width=0.1, height_px=64, width_px=64))
            first = next(one for one in pipeline.classifier_4ch.modules() if isinstance(one, torch.nn.Conv2d))
            with torch.no_grad():
                first.weight[:, 3] = torch.randn(first.weight[:, 3].shape) * 0.3
        sha256 = save_checkpoint(administrator.store.settings.checkpoints_dir / "model", pipeline, {"name": "model"})
        with administrator.store.writing() as session:
            manifest = Manifest(
                tuple(self._item(session.get_one(Image, case.image_id), case.patient_id) for case in self.cases[:2]),
                (), LabelSource.HISTOLOGY, RULES_VERSION, 0, (1.0, 0.0, 0.0),
            )  # fmt: skip
            snapshot = Snapshot(
                name="first",
                sha256=administrator.store.blobs.put(manifest.to_json()),
                label_source=LabelSource.HISTOLOGY,
                rules_version=RULES_VERSION,
                seed=0,
                counts={},
                created_by=administrator.person_id,
            )
            session.add(snapshot)
            session.flush()
            checkpoint = Checkpoint(
                name="model", sha256=sha256, snapshot_id=snapshot.id, label_source=LabelSource.HISTOLOGY,
                card=make_card(),
            )  # fmt: skip
            session.add(checkpoint)
            session.flush()
            session.add(Promotion(checkpoint_id=checkpoint.id, promoted_by=administrator.person_id, reason="first"))
            self.checkpoint_id = checkpoint.id
        fill_learned(administrator.store)
        assert run_job(administrator.store, predicting.start_prediction(administrator).id) == 0
        with administrator.store.reading() as session:
            rows = session.execute(select(Prediction.image_id, Prediction.id)).all()
        self.prediction_of = dict(map(tuple, rows))

    @staticmethod
    def _item(image: Image, patient_id: int) -> ManifestItem:
        return ManifestItem(
            image.sha256, image.id, image.case_id, patient_id, Split.TRAIN, SIDE_PX, SIDE_PX, Label.HSIL, Grade.CIN3,
            None, None, simulated=False,
        )  # fmt: skip

    def prediction(self, place: int) -> int:
        return self.prediction_of[self.cases[place].image_id]

    def point(self, angles: list[float]) -> None:
        """Let the features of the cases point in directions that are known."""
        with self.store.writing() as session:
            for case, angle in zip(self.cases, angles, strict=True):
                row = session.get_one(PredictionFeatures, self.prediction_of[case.image_id])
                row.features = pack_features(np.array([np.cos(angle), np.sin(angle)], np.float32))
            bare = session.get_one(PredictionFeatures, self.prediction_of[self.bare.image_id])
            bare.features = pack_features(np.array([1, 0], np.float32))
        call_reasons._STACKS._values.clear()


@pytest.fixture
def ward(administrator: Caller) -> Ward:
    return Ward(administrator)


def test_the_nearest_labelled_cases_of_other_patients_come_first(store: Store, annotator: Caller, ward: Ward) -> None:
    ward.point([0.0, 0.3, 0.1, 0.9, 0.2, 0.5])
    found = call_reasons.call_reasons(annotator, prediction_id=ward.prediction(0), n_like=3)
    expected = [ward.cases[2], ward.cases[4], ward.cases[1]]
    assert [one.case_id for one in found.like] == [one.case_id for one in expected], "the unlabelled one is left out"
    assert [one.likeness for one in found.like] == pytest.approx(np.cos([0.1, 0.2, 0.3]), abs=2e-3)
    assert [one.label for one in found.like] == [Label.NORMAL, Label.NORMAL, Label.HSIL]
    assert [one.was_learned for one in found.like] == [False, False, True]
    assert found.why_no_like == ""
    seen = {
        (row.case_id, row.kind) for row in store_rows.rows(store, Exposure, Exposure.person_id == annotator.person_id)
    }
    assert {(one.case_id, ExposureKind.HISTOLOGY) for one in expected} <= seen


def test_images_of_the_same_patient_are_not_like_cases(store: Store, annotator: Caller, ward: Ward) -> None:
    ward.point([0.0, 0.0, 0.1, 0.2, 0.3, 0.4])
    change(store, Case, ward.cases[1].case_id, patient_id=ward.cases[0].patient_id)
    found = call_reasons.call_reasons(annotator, prediction_id=ward.prediction(0))
    assert ward.cases[1].case_id not in [one.case_id for one in found.like]


def test_a_new_prediction_is_found_at_once(store: Store, annotator: Caller, ward: Ward) -> None:
    before = call_reasons.call_reasons(annotator, prediction_id=ward.prediction(0), n_like=9)
    newest = ward.clinic.add_case(grades=(Grade.CIN3,))
    assert run_job(store, predicting.start_prediction(annotator).id) == 0
    after = call_reasons.call_reasons(annotator, prediction_id=ward.prediction(0), n_like=9)
    assert {one.case_id for one in after.like} - {one.case_id for one in before.like} == {newest.case_id}


def test_a_prediction_of_an_older_version_says_so(store: Store, annotator: Caller, ward: Ward) -> None:
    with store.writing() as session:
        session.delete(session.get_one(PredictionFeatures, ward.prediction(0)))
    found = call_reasons.call_reasons(annotator, prediction_id=ward.prediction(0))
    assert found.like == ()
    assert "Predict the image again" in found.why_no_like


@pytest.mark.parametrize(("prob", "place"), [(0.0, 0), (0.49, 0), (0.5, 1), (0.99, 1), (1.0, 1)])
def test_a_probability_falls_into_one_band(prob: float, place: int) -> None:
    observed = {"k": 1, "n": 4, "value": 0.25, "low": 0.05, "high": 0.7}
    bins = [
        {"low": 0.0, "high": 0.5, "mean_prob": 0.2, "observed": observed},
        {"low": 0.5, "high": 1.0, "mean_prob": 0.8, "observed": observed | {"k": 3}},
    ]
    card = {"metrics": {"classification_4ch": {"image": {"reliability": bins}}}}
    band = calibration_band(card, "4ch", prob)
    assert (band.low, band.observed.k) == (bins[place]["low"], 1 + 2 * place)
    assert calibration_band(card, "3ch", prob) is None
    assert calibration_band({}, "4ch", prob) is None


def test_what_changes_with_the_mask_is_asked_of_the_real_model(store: Store, annotator: Caller, ward: Ward) -> None:
    prediction_id = ward.prediction(1)
    job = call_reasons.start_what_ifs(annotator, prediction_id=prediction_id)
    with pytest.raises(Conflict, match=f"job {job.id}"):
        call_reasons.start_what_ifs(annotator, prediction_id=prediction_id)
    assert call_reasons.call_reasons(annotator, prediction_id=prediction_id).job_id == job.id
    assert run_job(store, job.id) == 0
    found = call_reasons.call_reasons(annotator, prediction_id=prediction_id)
    assert (found.job_id, found.failure) == (None, "")
    assert [(one.change, one.finding, one.annotator) for one in found.what_ifs] == [
        (Change.MASK_EMPTIED, None, ""),
        (Change.MASK_OF_EXPERT, Finding.ACETOWHITE, "Painter"),
        (Change.COVERED, Finding.ACETOWHITE, ""),
        (Change.COVERED, Finding.ACETOWHITE, "Painter"),
    ]
    emptied, expert, _, covered = found.what_ifs
    prediction = get(store, Prediction, prediction_id)
    assert emptied.prob_hsil_3ch == pytest.approx(prediction.prob_hsil_3ch, abs=1e-5)
    assert covered.prob_hsil_3ch != pytest.approx(prediction.prob_hsil_3ch, abs=1e-5)
    assert emptied.prob_hsil_4ch != pytest.approx(expert.prob_hsil_4ch, abs=1e-6)
    assert run_job(store, call_reasons.start_what_ifs(annotator, prediction_id=prediction_id).id) == 0
    assert store_rows.count(store, WhatIf) == 4, "what was worked out before is replaced"


def test_a_checkpoint_that_is_gone_is_said_and_what_was_there_stays(annotator: Caller, ward: Ward) -> None:
    prediction_id = ward.prediction(1)
    assert run_job(annotator.store, call_reasons.start_what_ifs(annotator, prediction_id=prediction_id).id) == 0
    (annotator.store.settings.checkpoints_dir / "model" / "weights.safetensors").unlink(missing_ok=True)
    for path in (annotator.store.settings.checkpoints_dir / "model").iterdir():
        path.unlink()
    job = call_reasons.start_what_ifs(annotator, prediction_id=prediction_id)
    assert run_job(annotator.store, job.id) == 1
    found = call_reasons.call_reasons(annotator, prediction_id=prediction_id)
    assert found.failure
    assert len(found.what_ifs) == 4
    assert get(annotator, Job, job.id).state is JobState.FAILED


def test_what_rests_on_masks_that_are_hidden_from_me_is_hidden_too(store: Store, annotator: Caller, ward: Ward) -> None:
    prediction_id, image_id = ward.prediction(1), ward.cases[1].image_id
    assert run_job(store, call_reasons.start_what_ifs(annotator, prediction_id=prediction_id).id) == 0
    hand_out(store, image_id, [annotator.person_id, add_person(store, "otto").person_id], blind=True, proposals=True)
    shown = call_reasons.call_reasons(annotator, prediction_id=prediction_id).what_ifs
    assert {one.annotator for one in shown} == {""}
    assert Change.MASK_OF_EXPERT not in {one.change for one in shown}


def test_readers_and_whoever_has_yet_to_paint_the_image_get_nothing(
    store: Store, annotator: Caller, reader: Caller, ward: Ward
) -> None:
    prediction_id = ward.prediction(1)
    for ask in (call_reasons.call_reasons, call_reasons.start_what_ifs):
        with pytest.raises(PermissionDenied):
            ask(reader, prediction_id=prediction_id)
        with pytest.raises(NotFound, match="no prediction 999"):
            ask(annotator, prediction_id=999)
    hand_out(store, ward.cases[1].image_id, [annotator.person_id], blind=False, proposals=False)
    for ask in (call_reasons.call_reasons, call_reasons.start_what_ifs):
        with pytest.raises(Blinding):
            ask(annotator, prediction_id=prediction_id)


def test_patients_are_never_named_beyond_their_code(store: Store, annotator: Caller, ward: Ward) -> None:
    found = call_reasons.call_reasons(annotator, prediction_id=ward.prediction(0))
    assert {one.patient_code for one in found.like} <= set(store_rows.rows(store, Patient.code))
