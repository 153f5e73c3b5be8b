import pytest

from colpo_core.evaluation.judged import Judged, by_case, is_clustered
from colpo_core.terms import Label

N, H = Label.NORMAL, Label.HSIL


def test_a_case_has_the_mean_of_its_images_and_is_no_image() -> None:
    cases = by_case([Judged(1, 10, H, 0.2, 100), Judged(2, 20, N, 0.1), Judged(1, 10, H, 0.8, 101)])
    assert [(case.case_id, case.patient_id, case.label) for case in cases] == [(10, 1, H), (20, 2, N)]
    assert cases[0].prob_hsil == pytest.approx(0.5)
    assert cases[0].image_id is None


def test_rows_of_one_patient_are_clustered() -> None:
    assert is_clustered([Judged(1, 10, H, 0.2), Judged(1, 11, N, 0.1)])
    assert not is_clustered([Judged(1, 10, H, 0.2), Judged(2, 11, N, 0.1)])
    assert not is_clustered([])
