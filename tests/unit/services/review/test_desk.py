from colpo_core.errors import PermissionDenied
from colpo_core.services.common.callers import Caller
from colpo_core.services.review import desk as review
from colpo_core.services.review import overlays, verdicts
from colpo_core.store import Store
from colpo_core.store.tables import Image, Mask, Prediction
from colpo_core.terms import Finding, Grade, Label, LabelSource, Stage, Verdict
from tests.conftest import add_person
from tests.support.clinic import PredictedClinic, add_view
from tests.support.refusals import refused
from tests.support.store_rows import change, get
from tests.unit.services.cases.test_lists import hand_out


def test_what_waits_is_what_i_have_not_reviewed(store: Store, annotator: Caller, desk: PredictedClinic) -> None:
    queue = review.list_for_review(annotator)
    assert [row.id for row in queue.rows] == desk.predictions
    assert (queue.waiting, queue.checkpoint_name, queue.next_after) == (3, "model-1", None)
    verdicts.record_review(annotator, prediction_id=desk.predictions[1], verdict=Verdict.AGREE)
    queue = review.list_for_review(annotator)
    assert [row.id for row in queue.rows] == [desk.predictions[0], desk.predictions[2]]
    assert review.list_for_review(add_person(store, "otto")).waiting == 3


def test_the_queue_comes_in_pages(annotator: Caller, desk: PredictedClinic) -> None:
    first = review.list_for_review(annotator, limit=2)
    assert [row.id for row in first.rows] == desk.predictions[:2]
    assert first.waiting == 3
    second = review.list_for_review(annotator, limit=2, after=first.next_after)
    assert [row.id for row in second.rows] == desk.predictions[2:]
    assert second.next_after is None


def test_only_the_current_model_is_in_the_queue(
    annotator: Caller, administrator: Caller, desk: PredictedClinic
) -> None:
    newer = desk.add_checkpoint("model-2", administrator)
    assert review.list_for_review(annotator).rows == ()
    assert review.find_prediction(annotator, image_id=1).checkpoint_name == "model-1"
    by_newer = desk.predict(1, newer)
    assert [row.id for row in review.list_for_review(annotator).rows] == [by_newer]
    assert review.find_prediction(annotator, image_id=1).id == by_newer
    assert len(review.list_for_review(annotator, checkpoint_id=desk.checkpoint_id).rows) == 3


def test_without_a_model_nothing_waits(annotator: Caller) -> None:
    queue = review.list_for_review(annotator)
    assert (queue.rows, queue.waiting, queue.checkpoint_name) == ((), 0, None)
    assert review.find_prediction(annotator, image_id=1) is None


def test_a_prediction_says_what_it_calls_and_by_whose_labels(annotator: Caller, desk: PredictedClinic) -> None:
    found = review.get_prediction(annotator, prediction_id=desk.predictions[0])
    assert (found.call_3ch, found.call_4ch) == (Label.NORMAL, Label.HSIL)
    assert found.label_source is LabelSource.IMPRESSION
    assert found.patient_code == "p1"


def test_the_desk_holds_the_reference_the_maps_strengths_and_the_next(annotator: Caller, desk: PredictedClinic) -> None:
    opened = review.open_review(annotator, prediction_id=desk.predictions[1])
    assert opened.map_strengths == {"3ch-normal": 0.25, "3ch-hsil": 1.0, "4ch-normal": 0.0, "4ch-hsil": 0.0}
    assert opened.empty_maps == {"4ch-normal", "4ch-hsil"}
    assert (opened.reference.label, opened.reference.grade) == (Label.HSIL, Grade.CIN3)
    assert opened.next_id == desk.predictions[2]
    last = review.open_review(annotator, prediction_id=desk.predictions[2])
    assert last.next_id == desk.predictions[0]
    assert (last.reference.label, last.reference.flagged) == (None, True)


def test_the_desk_tells_how_much_of_each_map_lies_in_the_masks(annotator: Caller, desk: PredictedClinic) -> None:
    before = review.open_review(annotator, prediction_id=desk.predictions[1])
    assert (before.in_expert_mask, before.expert) == (None, ""), "nobody's mask sways a reviewer before the verdict"
    verdicts.record_review(annotator, prediction_id=desk.predictions[1], verdict=Verdict.AGREE)
    opened = review.open_review(annotator, prediction_id=desk.predictions[1])
    for found in (opened.in_model_mask, opened.in_expert_mask):
        assert set(found.maps) >= {"3ch-hsil", "3ch-normal"}
        assert 0 <= found.maps["3ch-hsil"].energy <= 1
    assert opened.expert == "Painter"


def test_without_an_annotated_lesion_there_is_nothing_to_hold_the_maps_against(
    annotator: Caller, desk: PredictedClinic
) -> None:
    bare = desk.clinic.add_case(masked=False)
    opened = review.open_review(annotator, prediction_id=desk.predict(bare.image_id, desk.checkpoint_id))
    assert (opened.in_expert_mask, opened.expert) == (None, "")


def test_the_series_holds_the_cases_images_and_masks_open_with_the_verdict(
    store: Store, annotator: Caller, desk: PredictedClinic
) -> None:
    case, prediction_id = desk.cases[0], desk.predictions[0]
    change(store, Image, case.image_id, seconds_after_acid=60)
    sha256 = get(store, Image, case.image_id).sha256
    for stage, seconds in ((Stage.LUGOL, None), (Stage.NATIVE, None), (Stage.ACETIC_ACID, 30)):
        add_view(store, case.case_id, stage, sha256=sha256, seconds_after_acid=seconds)
    series = review.open_review(annotator, prediction_id=prediction_id).series
    assert [(one.image.stage, one.image.seconds_after_acid) for one in series] == [
        (Stage.NATIVE, None), (Stage.ACETIC_ACID, 30), (Stage.ACETIC_ACID, 60), (Stage.LUGOL, None),
    ]  # fmt: skip
    assert [one.prediction_id for one in series] == [None, None, prediction_id, None]
    assert [one.masks for one in series] == [()] * 4, "before the verdict no annotated mask sways the reviewer"
    verdicts.record_review(annotator, prediction_id=prediction_id, verdict=Verdict.AGREE)
    shown = review.open_review(annotator, prediction_id=prediction_id).series[2]
    assert [(mask.annotator, mask.finding) for mask in shown.masks] == [("Painter", Finding.ACETOWHITE)]
    hand_out(
        store,
        case.image_id,
        [annotator.person_id, add_person(store, "otto").person_id],
        blind=True,
        proposals=True,
    )
    shown = review.open_review(annotator, prediction_id=prediction_id).series[2]
    assert shown.masks == (), "a blind task keeps them back again"


def test_readers_see_no_prediction(reader: Caller, desk: PredictedClinic) -> None:
    prediction_id = desk.predictions[0]
    refused(
        PermissionDenied,
        lambda: review.list_for_review(reader),
        lambda: review.get_prediction(reader, prediction_id=prediction_id),
        lambda: review.find_prediction(reader, image_id=1),
        lambda: review.open_review(reader, prediction_id=prediction_id),
        lambda: verdicts.record_review(reader, prediction_id=prediction_id, verdict=Verdict.AGREE),
        lambda: review.agreement(reader),
        lambda: overlays.prediction_mask_png(reader, prediction_id=prediction_id),
        lambda: overlays.prediction_map_png(reader, prediction_id=prediction_id, name="3ch-hsil"),
    )


def test_what_is_missing_or_damaged_is_said_and_the_rest_is_there(annotator: Caller, desk: PredictedClinic) -> None:
    prediction_id = desk.predictions[1]
    maps = annotator.store.blobs.path(get(annotator, Prediction, prediction_id).maps_sha256)
    maps.write_bytes(b"no maps")
    opened = review.open_review(annotator, prediction_id=prediction_id)
    assert opened.problems == (
        "The Grad-CAM maps cannot be shown. A stored file is damaged. Restore the store's folder from a back-up.",
    )
    assert (opened.in_model_mask, opened.in_expert_mask, opened.sites) == (None, None, ())
    assert (opened.reference.label, opened.expert) == (Label.HSIL, "")
    maps.unlink()
    with annotator.store.writing() as session:
        session.get_one(Mask, session.get_one(Prediction, prediction_id).mask_id).rle = b"\xff\xff"
    opened = review.open_review(annotator, prediction_id=prediction_id)
    assert [problem.split(" cannot")[0] for problem in opened.problems][:2] == ["The model's mask", "The Grad-CAM maps"]
    assert opened.prediction.prob_hsil_4ch == 0.6
    made = verdicts.record_review(annotator, prediction_id=prediction_id, verdict=Verdict.AGREE)
    assert made.verdict is Verdict.AGREE
