"""A model that is to be promoted is held against the current one, on cases that neither has met."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from colpo_core.errors import Conflict, PromotionHeld
from colpo_core.images.decoding import read_rgb
from colpo_core.records.models.checkpoints import PromotionChecks
from colpo_core.records.snapshots.snapshots import SnapshotQuery
from colpo_core.services.cases.fingerprints import fill_fingerprints
from colpo_core.services.common.callers import Caller
from colpo_core.services.models import promotions
from colpo_core.services.models import promotions as models_promotions
from colpo_core.services.models import registry as models_registry
from colpo_core.services.models.promotion_checks import check_promotion
from colpo_core.services.snapshots import freezing
from colpo_core.store import Store
from colpo_core.store.tables import AuditEntry, Job, Promotion
from colpo_core.terms import Label, Split
from tests.support.clinic import Clinic
from tests.support.copies import as_jpeg
from tests.support.promotable import promote, promotion_doubts
from tests.support.refusals import refused
from tests.support.snapshots import manifest_of
from tests.support.store_rows import count

Publish = Callable[..., int]
pytestmark = pytest.mark.usefixtures("alone")


def test_being_worse_than_the_current_model_holds_it_back(
    annotator: Caller, administrator: Caller, publish: Publish
) -> None:
    promote(administrator, publish("model-1"))
    against = {"sha256": "1" * 64, "worse": ["AUC -0.20 (-0.30 to -0.10)"]}
    (doubt,) = promotion_doubts(annotator, publish("model-2", metrics={"against_current": against}))
    assert doubt == "On the same cases it is worse than the current model model-1: AUC -0.20 (-0.30 to -0.10)."
    elsewhere = publish("model-3", metrics={"against_current": against | {"sha256": "9" * 64}})
    assert promotion_doubts(annotator, elsewhere) == ()


def said(good: bool, patients: Iterable[int]) -> dict[str, Any]:
    """Predictions of one case a patient, nearly all of them right or most of them wrong."""
    rows = []
    for patient in patients:
        label = (Label.NORMAL, Label.HSIL)[patient % 2]
        right = good or patient % 3 == 0
        rows.append(
            {
                "image_id": patient,
                "case_id": patient,
                "patient_id": patient,
                "label": label.value,
                "prob_hsil_3ch": 0.5,
                "prob_hsil_4ch": 0.5 + (0.3 + patient / 20_000) * (1 if (label is Label.HSIL) == right else -1),
            }
        )
    return {"predictions": rows}


STRANGERS = range(1000, 1040)


def test_two_cards_are_compared_where_another_model_is_current_by_now(
    store: Store, annotator: Caller, administrator: Caller, publish: Publish
) -> None:
    promote(administrator, publish("model-1", metrics=said(True, STRANGERS)))
    (doubt,) = promotion_doubts(annotator, publish("model-2", metrics=said(False, STRANGERS)))
    assert "worse than the current model model-1: AUC -" in doubt
    # Patients whom one of them has learned from say nothing.
    learned = [one.patient_id for one in manifest_of(store, 1).items
               if one.split != "test"]  # fmt: skip
    elsewhere = publish("model-3", metrics=said(False, range(min(learned), min(learned) + 1)))
    assert promotion_doubts(annotator, elsewhere) == ()


def test_patients_whom_a_model_has_met_under_another_code_say_nothing(
    store: Store, annotator: Caller, administrator: Caller, publish: Publish, clinic: Clinic
) -> None:
    learned = next(one for one in manifest_of(store, 1).items if one.split is Split.TRAIN)
    photograph = read_rgb(store.blobs.get(learned.image_sha256))
    others = [case.patient_id for case in clinic.add_cohort(32)]
    promote(administrator, publish("model-1", metrics=said(True, others)))
    worse = publish("model-2", metrics=said(False, others))
    assert "worse than the current model" in promotion_doubts(annotator, worse)[0]
    for patient_id in others:
        clinic.add_case(patient_id=patient_id, photograph=as_jpeg(photograph, 60))
    fill_fingerprints(store)
    assert promotion_doubts(annotator, worse) == ()


def test_only_cases_of_which_both_cards_say_the_same_are_compared(
    annotator: Caller, administrator: Caller, publish: Publish
) -> None:
    """A specimen that came in between two snapshots, or labels by impression, turn a case's label."""
    promote(administrator, publish("model-1", metrics=said(True, STRANGERS)))
    turned = said(False, STRANGERS)
    turned["predictions"][0]["label"] = Label.HSIL.value
    (doubt,) = promotion_doubts(annotator, publish("model-2", metrics=turned))
    assert "worse than the current model model-1: AUC -" in doubt
    for row in turned["predictions"]:
        row["case_id"] += 5000
    assert promotion_doubts(annotator, publish("model-3", metrics=turned)) == ()


def test_nothing_is_compared_on_whom_a_model_of_the_papers_protocol_has_learned_from(
    store: Store, annotator: Caller, administrator: Caller, publish: Publish, clinic: Clinic
) -> None:
    clinic.add_cohort(32)
    large = freezing.freeze_snapshot(annotator, query=SnapshotQuery("large", fractions=(0.1, 0.1, 0.8)))
    tested = [item.patient_id for item in manifest_of(store, large.id).of(Split.TEST)]
    promote(administrator, publish("model-1", metrics=said(True, tested), snapshot_id=large.id))
    honest = publish("model-2", metrics=said(False, tested), snapshot_id=large.id)
    assert "worse than the current model" in promotion_doubts(annotator, honest)[0]
    leaking = publish("model-3", metrics=said(True, tested), snapshot_id=large.id, protocol="paper")
    promote(administrator, leaking, overrule="by the paper's protocol")
    assert promotion_doubts(annotator, honest) == ()


def test_a_promotion_that_is_held_back_changes_nothing_until_it_is_overruled_in_writing(
    store: Store, annotator: Caller, administrator: Caller, publish: Publish
) -> None:
    checkpoint_id = publish(leaks=["It leaks."])

    def counts() -> tuple[int, ...]:
        return tuple(count(store, table) for table in (Promotion, Job, AuditEntry))

    before = counts()
    for words in ({}, {"overrule": "  "}):
        with pytest.raises(PromotionHeld, match=r"It leaks\..*overrule this in writing"):
            promote(administrator, checkpoint_id, **words)
    assert counts() == before
    assert models_registry.current_checkpoint(store) is None
    promote(administrator, checkpoint_id, overrule=" for the demonstration alone ")
    (row,) = models_promotions.list_promotions(annotator)
    assert row.reason == "better Overruled: for the demonstration alone"
    assert row.overruled == ("It leaks.",)


def test_a_model_that_was_promoted_while_the_doubts_were_looked_for_is_looked_at_again(
    store: Store, administrator: Caller, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = publish("first-1"), publish("second-2")

    def while_another_promotes(caller: Caller, *, checkpoint_id: int) -> PromotionChecks:
        monkeypatch.setattr(promotions, "check_promotion", check_promotion)
        promote(caller, first)
        return PromotionChecks()

    monkeypatch.setattr(promotions, "check_promotion", while_another_promotes)
    refused(Conflict, lambda: promote(administrator, second), match="Another model was promoted meanwhile")
    assert models_registry.current_checkpoint(store).id == first
    promote(administrator, second)
