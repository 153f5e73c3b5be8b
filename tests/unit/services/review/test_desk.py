import io

import numpy as np
import pytest
from PIL import Image as Picture

from colpo_core.errors import ColpoError, InputRejected, NotFound, PermissionDenied
from colpo_core.images.probabilities import pack_probabilities
from colpo_core.records.people import Actor
from colpo_core.services.review import desk as review
from colpo_core.store import Store
from colpo_core.store.tables import AuditEntry, Image, Mask, Prediction, Review
from colpo_core.terms import Finding, Grade, Label, LabelSource, ReviewReason, Stage, Verdict
from tests.conftest import add_person
from tests.support.clinic import SIDE_PX, PredictedClinic, draw
from tests.unit.services.cases.test_lists import hand_out


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Picture.open(io.BytesIO(png)))


def test_what_waits_is_what_i_have_not_reviewed(store: Store, annotator: Actor, desk: PredictedClinic) -> None:
    queue = review.list_for_review(store, actor=annotator)
    assert [row.id for row in queue.rows] == desk.predictions
    assert (queue.waiting, queue.checkpoint_name, queue.next_after) == (3, "model-1", None)
    review.record_review(store, actor=annotator, prediction_id=desk.predictions[1], verdict=Verdict.AGREE)
    queue = review.list_for_review(store, actor=annotator)
    assert [row.id for row in queue.rows] == [desk.predictions[0], desk.predictions[2]]
    other = review.list_for_review(store, actor=add_person(store, "otto"))
    assert other.waiting == 3


def test_the_queue_comes_in_pages(store: Store, annotator: Actor, desk: PredictedClinic) -> None:
    first = review.list_for_review(store, actor=annotator, limit=2)
    assert [row.id for row in first.rows] == desk.predictions[:2]
    assert first.waiting == 3
    second = review.list_for_review(store, actor=annotator, limit=2, after=first.next_after)
    assert [row.id for row in second.rows] == desk.predictions[2:]
    assert second.next_after is None


def test_only_the_current_model_is_in_the_queue(
    store: Store, annotator: Actor, administrator: Actor, desk: PredictedClinic
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


def test_a_prediction_says_what_it_calls_and_by_whose_labels(
    store: Store, annotator: Actor, desk: PredictedClinic
) -> None:
    found = review.get_prediction(store, actor=annotator, prediction_id=desk.predictions[0])
    assert (found.call_3ch, found.call_4ch) == (Label.NORMAL, Label.HSIL)
    assert found.label_source is LabelSource.IMPRESSION
    assert found.patient_code == "p1"


def test_the_desk_holds_the_reference_the_maps_strengths_and_the_next(
    store: Store, annotator: Actor, desk: PredictedClinic
) -> None:
    opened = review.open_review(store, actor=annotator, prediction_id=desk.predictions[1])
    assert opened.map_strengths == {"3ch-normal": 0.25, "3ch-hsil": 1.0, "4ch-normal": 0.0, "4ch-hsil": 0.0}
    assert opened.empty_maps == {"4ch-normal", "4ch-hsil"}
    assert (opened.reference.label, opened.reference.grade) == (Label.HSIL, Grade.CIN3)
    assert opened.next_id == desk.predictions[2]
    last = review.open_review(store, actor=annotator, prediction_id=desk.predictions[2])
    assert last.next_id == desk.predictions[0]
    assert (last.reference.label, last.reference.flagged) == (None, True)


def test_the_desk_tells_how_much_of_each_map_lies_in_the_masks(
    store: Store, annotator: Actor, desk: PredictedClinic
) -> None:
    before = review.open_review(store, actor=annotator, prediction_id=desk.predictions[1])
    assert (before.in_expert_mask, before.expert) == (None, ""), "nobody's mask sways a reviewer before the verdict"
    review.record_review(store, actor=annotator, prediction_id=desk.predictions[1], verdict=Verdict.AGREE)
    opened = review.open_review(store, actor=annotator, prediction_id=desk.predictions[1])
    for found in (opened.in_model_mask, opened.in_expert_mask):
        assert found is not None
        assert set(found.maps) >= {"3ch-hsil", "3ch-normal"}
        hsil = found.maps["3ch-hsil"]
        assert hsil is not None
        assert 0 <= hsil.energy <= 1
    assert opened.expert == "Painter"


def test_without_an_annotated_lesion_there_is_nothing_to_hold_the_maps_against(
    store: Store, annotator: Actor, desk: PredictedClinic
) -> None:
    bare = desk.clinic.add_case(masked=False)
    opened = review.open_review(store, actor=annotator, prediction_id=desk.predict(bare.image_id, desk.checkpoint_id))
    assert (opened.in_expert_mask, opened.expert) == (None, "")


def test_overruling_needs_a_reason(store: Store, annotator: Actor, desk: PredictedClinic) -> None:
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


def test_the_newest_verdict_counts_and_the_older_stays(store: Store, annotator: Actor, desk: PredictedClinic) -> None:
    prediction_id = desk.predictions[0]
    for _ in range(2):
        review.record_review(store, actor=annotator, prediction_id=prediction_id, verdict=Verdict.AGREE)
    review.record_review(
        store, actor=annotator, prediction_id=prediction_id, verdict=Verdict.OVERRULE, reason="a reflection"
    )
    review.record_review(store, actor=add_person(store, "otto"), prediction_id=prediction_id, verdict=Verdict.AGREE)
    agreed = review.agreement(store, actor=annotator)
    assert (agreed.agreed.k, agreed.agreed.n, agreed.n_unsure) == (1, 2, 0)
    opened = review.open_review(store, actor=annotator, prediction_id=prediction_id)
    assert [(one.reviewer, one.verdict) for one in opened.reviews] == [
        ("Otto", Verdict.AGREE),
        ("Anna", Verdict.OVERRULE),
        ("Anna", Verdict.AGREE),
    ]
    with store.reading() as session:
        assert session.query(Review).count() == 3, "pressing twice is one verdict"
        assert session.query(AuditEntry).filter_by(action="review prediction").count() == 3


def test_overlays_have_the_size_of_the_image(store: Store, annotator: Actor, desk: PredictedClinic) -> None:
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


def test_the_series_holds_the_cases_images_and_masks_open_with_the_verdict(
    store: Store, annotator: Actor, desk: PredictedClinic
) -> None:
    case, prediction_id = desk.cases[0], desk.predictions[0]
    with store.writing() as session:
        first = session.get_one(Image, case.image_id)
        first.seconds_after_acid = 60
        for stage, seconds in ((Stage.LUGOL, None), (Stage.NATIVE, None), (Stage.ACETIC_ACID, 30)):
            session.add(
                Image(
                    case_id=case.case_id, sha256=first.sha256, media_type="image/png", width_px=SIDE_PX,
                    height_px=SIDE_PX, stage=stage, seconds_after_acid=seconds,
                )
            )  # fmt: skip
    series = review.open_review(store, actor=annotator, prediction_id=prediction_id).series
    assert [(one.image.stage, one.image.seconds_after_acid) for one in series] == [
        (Stage.NATIVE, None), (Stage.ACETIC_ACID, 30), (Stage.ACETIC_ACID, 60), (Stage.LUGOL, None),
    ]  # fmt: skip
    assert [one.prediction_id for one in series] == [None, None, prediction_id, None]
    assert [one.masks for one in series] == [()] * 4, "before the verdict no annotated mask sways the reviewer"
    review.record_review(store, actor=annotator, prediction_id=prediction_id, verdict=Verdict.AGREE)
    shown = review.open_review(store, actor=annotator, prediction_id=prediction_id).series[2]
    assert [(mask.annotator, mask.finding) for mask in shown.masks] == [("Painter", Finding.ACETOWHITE)]
    hand_out(
        store, case.image_id, [annotator.person_id, add_person(store, "otto").person_id], blind=True, proposals=True
    )
    shown = review.open_review(store, actor=annotator, prediction_id=prediction_id).series[2]
    assert shown.masks == (), "a blind task keeps them back again"


def test_the_probabilities_are_given_as_they_were_kept(store: Store, annotator: Actor, desk: PredictedClinic) -> None:
    prediction_id = desk.predictions[0]
    with store.writing() as session:
        session.get_one(Prediction, prediction_id).acetowhite_sha256 = None
    with pytest.raises(NotFound, match="older"):
        review.prediction_probability_png(store, actor=annotator, prediction_id=prediction_id)
    kept = pack_probabilities(np.full((4, 4), 0.25, np.float32))
    sha256 = store.blobs.put(kept)
    with store.writing() as session:
        session.get_one(Prediction, prediction_id).acetowhite_sha256 = sha256
    assert review.prediction_probability_png(store, actor=annotator, prediction_id=prediction_id) == kept
    series = review.open_review(store, actor=annotator, prediction_id=prediction_id).series
    assert [one.has_probabilities for one in series] == [True]
    store.blobs.path(sha256).write_bytes(b"not a picture")
    with pytest.raises(ColpoError):
        review.prediction_probability_png(store, actor=annotator, prediction_id=prediction_id)


def test_a_map_is_drawn_no_larger_than_asked(store: Store, annotator: Actor, desk: PredictedClinic) -> None:
    ask = {"actor": annotator, "prediction_id": desk.predictions[0], "name": "3ch-hsil"}
    assert pixels(review.prediction_map_png(store, **ask)).shape[:2] == (SIDE_PX, SIDE_PX)
    assert pixels(review.prediction_map_png(store, **ask, most_px=16)).shape[:2] == (16, 16)
    assert pixels(review.prediction_map_png(store, **ask, most_px=4000)).shape[:2] == (SIDE_PX, SIDE_PX)


def test_readers_see_no_prediction(store: Store, reader: Actor, desk: PredictedClinic) -> None:
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


def test_who_is_unsure_says_why_and_is_counted_apart(store: Store, annotator: Actor, desk: PredictedClinic) -> None:
    first, second, _ = desk.predictions
    with pytest.raises(InputRejected, match="unsure"):
        review.record_review(store, actor=annotator, prediction_id=first, verdict=Verdict.UNSURE)
    with pytest.raises(InputRejected, match="agrees"):
        review.record_review(
            store, actor=annotator, prediction_id=first, verdict=Verdict.AGREE, because=ReviewReason.CALL
        )
    made = review.record_review(
        store, actor=annotator, prediction_id=first, verdict=Verdict.UNSURE, because=ReviewReason.IMAGE_QUALITY
    )
    assert (made.verdict, made.because, made.reason) == (Verdict.UNSURE, ReviewReason.IMAGE_QUALITY, "")
    review.record_review(store, actor=annotator, prediction_id=second, verdict=Verdict.AGREE)
    found = review.agreement(store, actor=annotator)
    assert (found.agreed.k, found.agreed.n, found.n_unsure) == (1, 1, 1)
    assert found.text().endswith("and 1 unsure")
    again = review.record_review(
        store, actor=annotator, prediction_id=first, verdict=Verdict.UNSURE, because=ReviewReason.CALL
    )
    assert again.because is ReviewReason.CALL
    with store.reading() as session:
        assert session.query(Review).filter_by(prediction_id=first).count() == 2


def test_what_is_missing_or_damaged_is_said_and_the_rest_is_there(
    store: Store, annotator: Actor, desk: PredictedClinic
) -> None:
    prediction_id = desk.predictions[1]
    with store.reading() as session:
        maps = store.blobs.path(session.get_one(Prediction, prediction_id).maps_sha256)
    maps.write_bytes(b"no maps")
    opened = review.open_review(store, actor=annotator, prediction_id=prediction_id)
    assert opened.problems == (
        "The Grad-CAM maps cannot be shown. A stored file is damaged. Restore the store's folder from a back-up.",
    )
    assert (opened.in_model_mask, opened.in_expert_mask, opened.sites) == (None, None, ())
    assert (opened.reference.label, opened.expert) == (Label.HSIL, "")
    maps.unlink()
    with store.writing() as session:
        mask = session.get_one(Mask, session.get_one(Prediction, prediction_id).mask_id)
        mask.rle = b"\xff\xff"
    opened = review.open_review(store, actor=annotator, prediction_id=prediction_id)
    assert [problem.split(" cannot")[0] for problem in opened.problems][:2] == ["The model's mask", "The Grad-CAM maps"]
    assert opened.prediction.prob_hsil_4ch == 0.6
    made = review.record_review(store, actor=annotator, prediction_id=prediction_id, verdict=Verdict.AGREE)
    assert made.verdict is Verdict.AGREE
