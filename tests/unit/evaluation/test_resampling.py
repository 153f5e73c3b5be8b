import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from colpo_core.evaluation import resampling
from colpo_core.evaluation.resampling import divided, patient_weights, weighted_auc

rows = st.lists(st.tuples(st.booleans(), st.integers(0, 6), st.integers(0, 3)), min_size=1, max_size=25)


@given(rows)
def test_a_weighted_area_is_that_of_rows_written_out_as_often_as_they_were_drawn(
    drawn: list[tuple[bool, int, int]],
) -> None:
    is_hsil, scores, times = (np.asarray(column) for column in zip(*drawn, strict=True))
    weights = np.stack([np.ones(len(times)), times]).astype(float)
    for found, count in zip(weighted_auc(weights, is_hsil, scores), (np.ones(len(times), int), times), strict=True):
        written = np.repeat(is_hsil, count), np.repeat(scores, count)
        if len(set(written[0].tolist())) < 2:
            assert np.isnan(found)
        else:
            assert found == pytest.approx(roc_auc_score(*written), abs=1e-12)


def test_nothing_to_rank_has_no_area() -> None:
    nothing = np.zeros(0)
    assert np.isnan(weighted_auc(np.ones((3, 0)), nothing > 0, nothing)).tolist() == [True] * 3


def test_a_patient_is_drawn_whole_and_as_many_patients_as_there_are() -> None:
    patients = [7, 3, 7, 5, 3, 7]
    weights = np.concatenate(list(patient_weights(patients, resamples=400, generator=np.random.default_rng(0))))
    assert weights.shape == (400, 6)
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, 1] == weights[:, 4]).all()
    of_patients = weights[:, [0, 1, 3]]
    assert (of_patients.sum(axis=1) == 3).all()
    # Each patient is drawn once on average, with the variance of a binomial of 3 trials in 3.
    assert of_patients.mean(axis=0) == pytest.approx([1, 1, 1], abs=0.12)
    assert of_patients.var(axis=0) == pytest.approx([2 / 3] * 3, abs=0.12)


def test_the_draw_depends_neither_on_blocks_nor_on_the_order_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    patients = [7, 3, 7, 5]
    whole = np.concatenate(list(patient_weights(patients, resamples=50, generator=np.random.default_rng(1))))
    turned = np.concatenate(list(patient_weights(patients[::-1], resamples=50, generator=np.random.default_rng(1))))
    assert (turned[:, ::-1] == whole).all()
    monkeypatch.setattr(resampling, "_BLOCK", 30)
    blocks = list(patient_weights(patients, resamples=50, generator=np.random.default_rng(1)))
    assert [len(block) for block in blocks] == [7] * 7 + [1]
    assert (np.concatenate(blocks) == whole).all()


def test_nothing_divided_is_not_defined() -> None:
    assert divided(np.array([1.0, 0.0]), np.array([4.0, 0.0])) == pytest.approx([0.25, np.nan], nan_ok=True)
