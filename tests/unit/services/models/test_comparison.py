import pytest

from colpo_core.errors import InputRejected, PermissionDenied
from colpo_core.services.common.callers import Caller
from colpo_core.services.models.comparison import compare_models
from colpo_core.store import Store
from colpo_core.store.tables import Prediction
from colpo_core.terms import Grade, Label
from tests.conftest import add_person
from tests.support.clinic import PredictedClinic
from tests.support.refusals import refused
from tests.support.store_rows import change
from tests.unit.services.cases.test_lists import hand_out


def say(store: Store, prediction_id: int, prob: float) -> None:
    change(store, Prediction, prediction_id, prob_hsil_4ch=prob)


@pytest.fixture
def clinic(store: Store, administrator: Caller) -> PredictedClinic:
    """Six cases of patients that neither model has met; the second model is right on one more than the first."""
    clinic = PredictedClinic(administrator)
    second = clinic.add_checkpoint("model-2", administrator)
    cases = [clinic.clinic.add_case(grades=(grade,)) for grade in (Grade.CIN3, Grade.NORMAL, Grade.CIN2, Grade.NORMAL)]
    #          HSIL, normal, HSIL, normal; both call HSIL from 0.6
    for case, first_prob, second_prob in zip(cases, (0.9, 0.1, 0.2, 0.8), (0.8, 0.2, 0.7, 0.9), strict=True):
        say(store, clinic.predict(case.image_id, clinic.checkpoint_id), first_prob)
        say(store, clinic.predict(case.image_id, second), second_prob)
    clinic.new_cases, clinic.second = cases, second  # type: ignore[attr-defined]
    return clinic


def test_two_models_are_compared_on_what_both_have_predicted_and_neither_has_met(
    administrator: Caller, clinic: PredictedClinic
) -> None:
    found = compare_models(administrator, first_id=clinic.checkpoint_id, second_id=clinic.second)
    assert (found.first, found.second, found.channels) == ("model-1", "model-2", 4)
    assert (found.difference.n, found.difference.n_patients) == (4, 4)
    assert (found.n_missing_first, found.n_missing_second) == (0, 2), "the first two cases, by the first model alone"
    assert found.difference.first.accuracy.value == 0.5
    assert found.difference.second.accuracy.value == 0.75
    assert found.difference.accuracy.value == 0.25
    assert (found.difference.first.auc.value, found.difference.second.auc.value) == (0.75, 0.5)
    (flip,) = found.flips
    assert (flip.case_id, flip.label, flip.is_second_right) == (
        clinic.new_cases[2].case_id, Label.HSIL, True,  # type: ignore[attr-defined]
    )  # fmt: skip
    assert (flip.prob_first, flip.prob_second) == (0.2, 0.7)


def test_the_other_way_round_the_differences_and_the_flips_change_sides(
    administrator: Caller, clinic: PredictedClinic
) -> None:
    second = clinic.second  # type: ignore[attr-defined]
    there = compare_models(administrator, first_id=clinic.checkpoint_id, second_id=second)
    back = compare_models(administrator, first_id=second, second_id=clinic.checkpoint_id)
    assert back.difference.accuracy.value == -(there.difference.accuracy.value or 0)
    assert [one.is_second_right for one in back.flips] == [not one.is_second_right for one in there.flips]


def test_a_case_that_is_kept_back_counts_and_is_not_named(administrator: Caller, clinic: PredictedClinic) -> None:
    anna = add_person(administrator.store, "annotating")
    flipped = clinic.new_cases[2]  # type: ignore[attr-defined]
    hand_out(administrator.store, flipped.image_id, [anna.person_id], blind=False, proposals=False)
    second = clinic.second  # type: ignore[attr-defined]
    found = compare_models(anna, first_id=clinic.checkpoint_id, second_id=second)
    assert found.flips == ()
    assert found.difference.n == 4


def test_nothing_in_common_and_one_model_alone_are_said(
    administrator: Caller, reader: Caller, clinic: PredictedClinic
) -> None:
    third = clinic.add_checkpoint("model-3", None)
    found = compare_models(administrator, first_id=clinic.checkpoint_id, second_id=third)
    assert (found.difference, found.flips, found.n_missing_second) == (None, (), 6)
    refused(InputRejected, lambda: compare_models(administrator, first_id=third, second_id=third), match="two models")
    with pytest.raises(InputRejected, match="3 channels"):
        compare_models(administrator, first_id=clinic.checkpoint_id, second_id=third, channels=5)
    refused(PermissionDenied, lambda: compare_models(reader, first_id=clinic.checkpoint_id, second_id=third))
