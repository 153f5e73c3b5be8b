from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from colpo_core.errors import PermissionDenied, PromotionHeld
from colpo_core.records.models.checkpoints import PromotionChecks
from colpo_core.records.snapshots.snapshots import SnapshotQuery
from colpo_core.services.common.callers import Caller
from colpo_core.services.models import promotions as models_promotions
from colpo_core.services.models.promotion_checks import check_promotion
from colpo_core.services.snapshots import freezing
from colpo_core.store import Store
from colpo_core.store.tables import Case, Checkpoint, Evaluation, Image, Patient, Snapshot
from colpo_core.terms import Grade, Label, LabelSource, Split
from tests.support import store_rows
from tests.support.clinic import Clinic, make_card
from tests.support.promotable import estimate, promote, promotion_doubts, sound
from tests.support.refusals import refused
from tests.support.snapshots import manifest_of
from tests.support.store_rows import add, get

Publish = Callable[..., int]
pytestmark = pytest.mark.usefixtures("alone")


def with_area(low: float | None, high: float | None, value: float | None = 0.7, **changes: Any) -> dict[str, Any]:
    """Figures whose 4-channel network has another area under the ROC curve."""
    case = sound()["classification_4ch"]["case"] | {"auc": estimate(value, low, high)} | changes
    return {"classification_4ch": {"image": case, "case": case}}


def test_nothing_speaks_against_an_ordinary_one(
    annotator: Caller, reader: Caller, administrator: Caller, publish: Publish
) -> None:
    checkpoint_id = publish()
    assert promotion_doubts(annotator, checkpoint_id) == ()
    promote(administrator, checkpoint_id, overrule="just in case")
    (row,) = models_promotions.list_promotions(annotator)
    assert (row.reason, row.overruled) == ("better", ())
    refused(PermissionDenied, lambda: check_promotion(reader, checkpoint_id=checkpoint_id))


def blind_card(mean_mask: tuple[float, float, float], disc: tuple[float, float, float]) -> dict[str, Any]:
    """Figures of masks with differences of IoU to the two masks that look at no image: value, low, high."""
    blind = {
        mask: {"iou_difference": {"value": value, "low": low, "high": high, "n_patients": 30, "n_images": 87}}
        for mask, (value, low, high) in (("mean_mask", mean_mask), ("disc", disc))
    }
    return {"segmentation": make_card()["metrics"]["segmentation"] | {"blind": blind}}  # type: ignore[index]


def test_masks_that_are_no_better_than_the_mean_training_mask_hold_it_back(annotator: Caller, publish: Publish) -> None:
    """An IoU of 0.44 stood beside nothing, where the mean training mask has 0.38 on the same images."""
    (said,) = promotion_doubts(annotator, publish("doubtful1", blind_card((0.06, -0.01, 0.13), (0.08, 0.01, 0.15))))
    assert "not shown to be better" in said
    assert "the mean training mask, +0.06 (-0.01 to +0.13; 30 patients)" in said
    assert "disc" not in said
    (said,) = promotion_doubts(annotator, publish("worse2", blind_card((-0.2, -0.3, -0.1), (-0.1, -0.2, 0.0))))
    assert "mean training mask" in said
    assert "disc in the middle" in said
    assert promotion_doubts(annotator, publish("better3", blind_card((0.06, 0.01, 0.13), (0.08, 0.01, 0.15)))) == ()


def test_a_leaking_protocol_holds_it_back(annotator: Caller, publish: Publish) -> None:
    checkpoint_id = publish(leaks=["Copies of one image stand on both sides."])
    assert promotion_doubts(annotator, checkpoint_id) == ("Copies of one image stand on both sides.",)


def test_leakage_that_the_guard_finds_today_holds_it_back(store: Store, annotator: Caller, publish: Publish) -> None:
    checkpoint_id = publish()
    sides = {item.split: item.image_id for item in manifest_of(store, 1).items}
    with store.writing() as session:
        for image_id in sides.values():
            session.get_one(Image, image_id).perceptual_hash = "0" * 384
    (doubt,) = promotion_doubts(annotator, checkpoint_id)
    assert "leaks" in doubt
    assert "near copy" in doubt


def test_one_call_for_everybody_holds_it_back(annotator: Caller, publish: Publish) -> None:
    block = sound()["classification_4ch"]
    called = {"image": block["image"], "case": block["case"] | {"all_called": "normal"}}
    (doubt,) = promotion_doubts(annotator, publish(metrics={"classification_4ch": called}))
    assert doubt == "With four channels it calls every test case normal: it tells nothing apart."


def test_an_external_test_set_that_it_has_seen_holds_it_back(store: Store, annotator: Caller, publish: Publish) -> None:
    checkpoint_id = publish()
    learned = manifest_of(store, 1).items
    code = get(store, Patient, next(one.patient_id for one in learned if one.split == "train")).code
    freezing.freeze_snapshot(annotator, query=SnapshotQuery("kept", external=True, patient_codes=(code,)))
    (doubt,) = promotion_doubts(annotator, checkpoint_id)
    assert "“kept”" in doubt


def test_a_snapshot_that_cannot_be_read_is_a_doubt_and_no_crash(annotator: Caller, publish: Publish) -> None:
    checkpoint_id = publish()
    store_rows.change(annotator, Snapshot, 1, sha256="7" * 64)
    (doubt,) = promotion_doubts(annotator, checkpoint_id)
    assert doubt.startswith("What it or the current model has learned from cannot be checked.")


def test_a_card_of_an_older_version_is_read_and_what_it_lacks_is_said(annotator: Caller, publish: Publish) -> None:
    checkpoint_id = publish()
    store_rows.change(annotator, Checkpoint, checkpoint_id, card={})
    checks = check_promotion(annotator, checkpoint_id=checkpoint_id)
    assert checks.doubts == (
        "With four channels, which makes the calls, nothing is known of how it tells the test cases apart: there is "
        "no AUC.",
        "With three channels nothing is known of how it tells the test cases apart: there is no AUC.",
        "Its card does not say on how many cases it was tested.",
    )
    assert sum("its card does not say" in sentence for sentence in checks.unchecked) == 2


@pytest.mark.parametrize(
    ("metrics", "doubt"),
    [
        (with_area(0.0, 0.75, 0.25), "the AUC on the test cases is 0.25 (0.00 to 0.75): this may be chance, which has"),
        (with_area(0.5, 0.9), "0.70 (0.50 to 0.90): this may be chance"),
        (with_area(0.1, 0.4, 0.2), "0.20 (0.10 to 0.40): worse than chance"),
        (with_area(None, None, 1.0), "1.00 without an interval: it may be chance"),
        (with_area(None, None, None), "there is no AUC"),
        (with_area(0.6, 0.8, true_positive=9, false_negative=0, true_negative=31, false_positive=0), "9 hsil and 31"),
        (with_area(0.6, 0.8, true_positive=20, false_negative=0, true_negative=9, false_positive=0), "tested on 29"),
        (with_area(0.6, 0.8, n_patients=7), "Its test cases come from 7 patients alone"),
    ],
)
def test_figures_that_may_be_chance_hold_it_back(
    annotator: Caller, publish: Publish, metrics: dict[str, Any], doubt: str
) -> None:
    (said,) = promotion_doubts(annotator, publish(metrics=metrics))
    assert doubt in said


def test_an_area_just_above_one_half_and_ten_of_a_label_are_enough(annotator: Caller, publish: Publish) -> None:
    counts = {"true_positive": 10, "false_negative": 0, "true_negative": 15, "false_positive": 5}
    assert promotion_doubts(annotator, publish(metrics=with_area(0.501, 0.8, **counts))) == ()


@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        (
            {"lesion_excess": estimate(0.1, 0.0, 0.2)},
            "the lesion's area gives by itself: +10% (+0 to +20)",
        ),
        ({"lesion_excess": estimate(-0.1, -0.2, -0.05)}, "-10% (-20 to -5)"),
        (
            {"padding": {"hsil": estimate(0.0), "normal": estimate(0.22, 0.1, 0.3)}},
            "22% of the evidence for normal",
        ),
        (
            {"rim": {"hsil": estimate(0.5, 0.4, 0.6), "normal": estimate(0.2, 0.1, 0.3)}},
            "50% of the evidence for HSIL",
        ),
    ],
)
def test_evidence_in_the_wrong_place_holds_it_back(
    annotator: Caller, publish: Publish, change: dict[str, Any], doubt: str
) -> None:
    evidence = sound()["4ch"]["evidence"] | change
    (said,) = promotion_doubts(annotator, publish(metrics={"4ch": {"evidence": evidence}}))
    assert doubt in said
    assert said.startswith("With four channels, which makes the calls,")


def test_a_test_set_without_lesions_or_bars_cannot_be_checked_and_is_no_doubt(
    annotator: Caller, publish: Publish
) -> None:
    none = estimate(None)
    evidence = {"lesion_excess": none, "padding": {"hsil": none, "normal": none}, "padding_area": none,
                "rim": {"hsil": none, "normal": none}, "rim_area": none}  # fmt: skip
    checks = check_promotion(annotator, checkpoint_id=publish(metrics={"4ch": {"evidence": evidence}}))
    assert checks.doubts == ()
    assert any("no test image has an annotated lesion" in sentence for sentence in checks.unchecked)


def test_an_external_look_that_may_be_chance_holds_it_back_until_a_newer_one(
    store: Store, annotator: Caller, publish: Publish, clinic: Clinic
) -> None:
    checkpoint_id = publish()
    clinic.add_case(patient_id=None)
    kept = freezing.freeze_snapshot(annotator, query=SnapshotQuery("kept", external=True, patient_codes=("p9",)))

    def take_look(metrics: dict[str, Any]) -> tuple[str, ...]:
        add(
            store,
            Evaluation(
                checkpoint_id=checkpoint_id,
                snapshot_id=kept.id,
                metrics=metrics,
                created_by=annotator.person_id,
            ),
        )
        return promotion_doubts(annotator, checkpoint_id)

    (doubt,) = take_look(sound() | with_area(0.4, 0.9))
    assert "the AUC on the cases of the external test set “kept” is 0.70 (0.40 to 0.90)" in doubt
    assert take_look(sound()) == ()


def test_impressions_and_drawings_hold_it_back(annotator: Caller, publish: Publish, clinic: Clinic) -> None:
    for number in range(12):
        clinic.add_case(swede_score=2 + number % 2 * 5, simulated=number < 9)
    frozen = freezing.freeze_snapshot(annotator, query=SnapshotQuery("drawn", label_source=LabelSource.IMPRESSION))
    checkpoint_id = publish(snapshot_id=frozen.id)
    store_rows.change(annotator, Checkpoint, checkpoint_id, label_source=LabelSource.IMPRESSION)
    first, second = promotion_doubts(annotator, checkpoint_id)
    assert first.startswith("Its labels are colposcopic impressions, not histology")
    assert "images that it learned from" in second
    assert second.endswith("are simulated: its figures say little or nothing about patients.")


def test_a_card_of_the_papers_protocol_that_names_no_leak_is_a_doubt(annotator: Caller, publish: Publish) -> None:
    assert (
        "copies of one image stand on both sides" in promotion_doubts(annotator, publish(protocol="paper", leaks=[]))[0]
    )


def two_devices(annotator: Caller, *, confounded: bool) -> int:
    """A snapshot of 80 cases taken with two devices, all of it on the test side but for the first."""
    clinic = Clinic(annotator.store)
    clinic._number = 200
    for number in range(80):
        case = clinic.add_case(
            grades=(Grade.CIN2,) if number % 2 else (Grade.NORMAL,),
            case_date=date(2024, 1, 1) + timedelta(days=number),
        )
        known_by = number % 2 if confounded else number // 2 % 2
        store_rows.change(annotator, Case, case.case_id, device=("Zeiss", "Leisegang")[known_by])
    query = SnapshotQuery("two devices", fractions=(0.1, 0.1, 0.8), date_from=date(2024, 1, 1))
    return freezing.freeze_snapshot(annotator, query=query).id


def test_a_shortcut_in_its_snapshot_holds_it_back_and_stands_in_the_history(
    annotator: Caller, administrator: Caller, publish: Publish
) -> None:
    checkpoint_id = publish(snapshot_id=two_devices(annotator, confounded=True))
    (doubt,) = promotion_doubts(annotator, checkpoint_id)
    assert doubt.startswith("The label can be told from the recorded device alone: AUC 1.00 (")
    refused(PromotionHeld, lambda: promote(administrator, checkpoint_id), match="the recorded device alone")
    promote(administrator, checkpoint_id, overrule="to see what happens")
    (row,) = models_promotions.list_promotions(annotator)
    assert row.overruled == (doubt,)


def test_probabilities_that_go_with_the_device_within_a_label_hold_it_back(annotator: Caller, publish: Publish) -> None:
    snapshot_id = two_devices(annotator, confounded=False)
    manifest = manifest_of(annotator.store, snapshot_id)
    devices = {case.id: case.device for case in store_rows.rows(annotator, Case)}

    def predictions(follows: bool) -> dict[str, Any]:
        rows = []
        for place, item in enumerate(manifest.of(Split.TEST)):
            label = Label.NORMAL if item.label is None else item.label
            moved = 0.3 if follows and devices[item.case_id] == "Zeiss" else 0.0
            base = 0.5 if label is Label.HSIL else 0.2
            rows.append({"image_id": item.image_id, "case_id": item.case_id, "patient_id": item.patient_id,
                         "label": label.value, "prob_hsil_3ch": 0.5,
                         "prob_hsil_4ch": base + moved + place * 37 % 11 / 100})  # fmt: skip
        return {"predictions": rows}

    (doubt,) = promotion_doubts(annotator, publish("m-1", predictions(True), snapshot_id=snapshot_id))
    assert "its probability of HSIL differs by device (medians: hsil: 0.5" in doubt
    assert "with Leisegang, 0.8" in doubt
    assert promotion_doubts(annotator, publish("m-2", predictions(False), snapshot_id=snapshot_id)) == ()


def test_nothing_speaks_against_it_is_said_only_where_all_could_be_checked(
    annotator: Caller, administrator: Caller, publish: Publish
) -> None:
    small = check_promotion(annotator, checkpoint_id=publish("m-1"))
    assert small.doubts == ()
    (sentence,) = small.unchecked
    assert "at least 8 patients of each are needed" in sentence
    assert small.summary == "Nothing that was checked speaks against it, but not everything could be checked."
    large = publish("m-2", snapshot_id=two_devices(annotator, confounded=False))
    checks = check_promotion(annotator, checkpoint_id=large)
    assert checks == PromotionChecks()
    assert checks.summary == "Nothing speaks against it."
    promote(administrator, 1)
    (row,) = models_promotions.list_promotions(annotator)
    assert (row.overruled, row.unchecked) == ((), small.unchecked)
