import io

import numpy as np
import pytest
from PIL import Image as Picture

from colpo_core.errors import InputRejected, NotFound, PermissionDenied
from colpo_core.inference.maps import pack_maps
from colpo_core.records.people import Actor
from colpo_core.services import review
from colpo_core.services.masks import store_pixels
from colpo_core.store import Store
from colpo_core.store.tables import AuditEntry, Checkpoint, Prediction, Promotion, Review, Snapshot
from colpo_core.terms import Grade, Label, LabelSource, Verdict
from tests.clinic import SIDE_PX, Clinic, ClinicCase, draw, reviewer


class Desk:
    """Three cases that a promoted checkpoint has predicted."""

    def __init__(self, store: Store, administrator: Actor) -> None:
        clinic = Clinic(store)
        self.store = store
        self.cases: list[ClinicCase] = [
            clinic.add_case(grades=(grade,)) for grade in (Grade.NORMAL, Grade.CIN3, Grade.INVASIVE_CARCINOMA)
        ]
        with store.writing() as session:
            snapshot = Snapshot(
                name="s",
                sha256="5" * 64,
                label_source=LabelSource.IMPRESSION,
                rules_version="r",
                seed=0,
                counts={},
                created_by=administrator.person_id,
            )
            session.add(snapshot)
            session.flush()
            self.snapshot_id = snapshot.id
        self.checkpoint_id = self.add_checkpoint("model-1", administrator)
        self.predictions = [self.predict(case.image_id, self.checkpoint_id) for case in self.cases]

    def add_checkpoint(self, name: str, administrator: Actor | None) -> int:
        with self.store.writing() as session:
            checkpoint = Checkpoint(
                name=name,
                sha256="c" * 64,
                snapshot_id=self.snapshot_id,
                label_source=LabelSource.IMPRESSION,
                card={},
            )
            session.add(checkpoint)
            session.flush()
            if administrator:
                session.add(
                    Promotion(checkpoint_id=checkpoint.id, promoted_by=administrator.person_id, reason="better")
                )
            return checkpoint.id

    def predict(self, image_id: int, checkpoint_id: int) -> int:
        _, mask = draw(image_id, lesion=True)
        maps = {name: np.zeros((2, 2), np.float32) for name in ("3ch-normal", "3ch-hsil", "4ch-normal", "4ch-hsil")}
        maps["3ch-hsil"][0, 0] = 4.0
        maps["3ch-normal"][1, 1] = 1.0
        sha256 = self.store.blobs.put(pack_maps(maps))
        with self.store.writing() as session:
            prediction = Prediction(
                image_id=image_id,
                checkpoint_id=checkpoint_id,
                prob_hsil_3ch=0.4,
                prob_hsil_4ch=0.6,
                threshold_3ch=0.5,
                threshold_4ch=0.6,
                acetowhite_fraction=float(mask.mean()),
                mask_id=store_pixels(session, mask).id,
                maps_sha256=sha256,
            )
            session.add(prediction)
            session.flush()
            return prediction.id


@pytest.fixture
def desk(store: Store, administrator: Actor) -> Desk:
    return Desk(store, administrator)


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Picture.open(io.BytesIO(png)))


def test_what_waits_is_what_i_have_not_reviewed(store: Store, annotator: Actor, desk: Desk) -> None:
    queue = review.list_for_review(store, actor=annotator)
    assert [row.id for row in queue.rows] == desk.predictions
    assert (queue.waiting, queue.checkpoint_name, queue.next_after) == (3, "model-1", None)
    review.record_review(store, actor=annotator, prediction_id=desk.predictions[1], verdict=Verdict.AGREE)
    queue = review.list_for_review(store, actor=annotator)
    assert [row.id for row in queue.rows] == [desk.predictions[0], desk.predictions[2]]
    other = review.list_for_review(store, actor=reviewer(store, "otto"))
    assert other.waiting == 3


def test_the_queue_comes_in_pages(store: Store, annotator: Actor, desk: Desk) -> None:
    first = review.list_for_review(store, actor=annotator, limit=2)
    assert [row.id for row in first.rows] == desk.predictions[:2]
    assert first.waiting == 3
    second = review.list_for_review(store, actor=annotator, limit=2, after=first.next_after)
    assert [row.id for row in second.rows] == desk.predictions[2:]
    assert second.next_after is None


def test_only_the_current_model_is_in_the_queue(
    store: Store, annotator: Actor, administrator: Actor, desk: Desk
) -> None:
    newer = desk.add_checkpoint("model-2", administrator)
    assert review.list_for_review(store, actor=annotator).rows == ()
    assert review.find_prediction(store, actor=annotator, image_id=1).checkpoint_name == "model-1"
    by_newer = desk.predict(1, newer)
    assert [row.id for row in review.list_for_review(store, actor=annotator).rows] == [by_newer]
    assert review.find_prediction(store, actor=annotator, image_id=1).id == by_newer
    assert len(review.list_for_review(store, actor=annotator, checkpoint_id=desk.checkpoint_id).rows) == 3


def test_without_a_model_nothing_waits(store: Store, annotator: Actor) -> None:
    queue = review.list_for_review(store, actor=annotator)
    assert (queue.rows, queue.waiting, queue.checkpoint_name) == ((), 0, None)
    assert review.find_prediction(store, actor=annotator, image_id=1) is None


def test_a_prediction_says_what_it_calls_and_by_whose_labels(store: Store, annotator: Actor, desk: Desk) -> None:
    found = review.get_prediction(store, actor=annotator, prediction_id=desk.predictions[0])
    assert (found.call_3ch, found.call_4ch) == (Label.NORMAL, Label.HSIL)
    assert found.label_source is LabelSource.IMPRESSION
    assert found.patient_code == "p1"


def test_the_desk_holds_the_reference_the_empty_maps_and_the_next(store: Store, annotator: Actor, desk: Desk) -> None:
    opened = review.open_review(store, actor=annotator, prediction_id=desk.predictions[1])
    assert opened.empty_maps == {"4ch-normal", "4ch-hsil"}
    assert (opened.reference.label, opened.reference.grade) == (Label.HSIL, Grade.CIN3)
    assert opened.next_id == desk.predictions[2]
    last = review.open_review(store, actor=annotator, prediction_id=desk.predictions[2])
    assert last.next_id == desk.predictions[0]
    assert (last.reference.label, last.reference.flagged) == (None, True)


def test_overruling_needs_a_reason(store: Store, annotator: Actor, desk: Desk) -> None:
    for reason in ("", "  \n "):
        with pytest.raises(InputRejected, match="why"):
            review.record_review(
                store,
                actor=annotator,
                prediction_id=desk.predictions[0],
                verdict=Verdict.OVERRULE,
                reason=reason,
            )
    with pytest.raises(InputRejected, match="2000"):
        review.record_review(
            store,
            actor=annotator,
            prediction_id=desk.predictions[0],
            verdict=Verdict.OVERRULE,
            reason="x" * 2001,
        )
    assert review.list_for_review(store, actor=annotator).waiting == 3
    with pytest.raises(NotFound):
        review.record_review(store, actor=annotator, prediction_id=99, verdict=Verdict.AGREE)


def test_the_newest_verdict_counts_and_the_older_stays(store: Store, annotator: Actor, desk: Desk) -> None:
    prediction_id = desk.predictions[0]
    for _ in range(2):
        review.record_review(store, actor=annotator, prediction_id=prediction_id, verdict=Verdict.AGREE)
    review.record_review(
        store, actor=annotator, prediction_id=prediction_id, verdict=Verdict.OVERRULE, reason="a reflection"
    )
    review.record_review(store, actor=reviewer(store, "otto"), prediction_id=prediction_id, verdict=Verdict.AGREE)
    agreed = review.agreement(store, actor=annotator)
    assert (agreed.k, agreed.n) == (1, 2)
    opened = review.open_review(store, actor=annotator, prediction_id=prediction_id)
    assert [(one.reviewer, one.verdict) for one in opened.reviews] == [
        ("Otto", Verdict.AGREE),
        ("Anna", Verdict.OVERRULE),
        ("Anna", Verdict.AGREE),
    ]
    with store.reading() as session:
        assert session.query(Review).count() == 3, "pressing twice is one verdict"
        assert session.query(AuditEntry).filter_by(action="review prediction").count() == 3


def test_overlays_have_the_size_of_the_image(store: Store, annotator: Actor, desk: Desk) -> None:
    prediction_id = desk.predictions[0]
    _, mask = draw(desk.cases[0].image_id, lesion=True)
    overlay = pixels(review.prediction_mask_png(store, actor=annotator, prediction_id=prediction_id))
    assert overlay.shape == (SIDE_PX, SIDE_PX, 4)
    assert np.array_equal(overlay[..., 3] > 0, mask)
    brightest = {}
    for name in ("3ch-normal", "3ch-hsil", "4ch-hsil"):
        drawn = pixels(review.prediction_map_png(store, actor=annotator, prediction_id=prediction_id, name=name))
        assert drawn.shape == (SIDE_PX, SIDE_PX, 4)
        brightest[name] = int(drawn[..., 3].max())
    assert brightest["3ch-hsil"] > brightest["3ch-normal"] > brightest["4ch-hsil"] == 0
    with pytest.raises(NotFound, match="no map"):
        review.prediction_map_png(store, actor=annotator, prediction_id=prediction_id, name="5ch")


def test_readers_see_no_prediction(store: Store, reader: Actor, desk: Desk) -> None:
    prediction_id = desk.predictions[0]
    for deed in (
        lambda: review.list_for_review(store, actor=reader),
        lambda: review.get_prediction(store, actor=reader, prediction_id=prediction_id),
        lambda: review.find_prediction(store, actor=reader, image_id=1),
        lambda: review.open_review(store, actor=reader, prediction_id=prediction_id),
        lambda: review.record_review(store, actor=reader, prediction_id=prediction_id, verdict=Verdict.AGREE),
        lambda: review.agreement(store, actor=reader),
        lambda: review.prediction_mask_png(store, actor=reader, prediction_id=prediction_id),
        lambda: review.prediction_map_png(store, actor=reader, prediction_id=prediction_id, name="3ch-hsil"),
    ):
        with pytest.raises(PermissionDenied):
            deed()
