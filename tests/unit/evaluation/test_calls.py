import pytest

from colpo_core.evaluation.calls import all_one_call, call_figures, calls_at, paired_counts
from colpo_core.evaluation.judged import Judged
from colpo_core.terms import Label

N, H = Label.NORMAL, Label.HSIL


def test_counts_and_shares_by_hand() -> None:
    figures = call_figures([H, H, H, H, N, N, N, N, N, N], [H, H, H, N, H, N, N, N, N, H])
    assert (figures.true_positive, figures.false_negative) == (3, 1)
    assert (figures.false_positive, figures.true_negative) == (2, 4)
    assert figures.accuracy.value == pytest.approx(0.7)
    assert figures.sensitivity.value == pytest.approx(3 / 4)
    assert figures.specificity.value == pytest.approx(4 / 6)
    assert figures.ppv.value == pytest.approx(3 / 5)
    assert figures.npv.value == pytest.approx(4 / 5)


def test_a_share_without_cases_is_not_defined() -> None:
    figures = call_figures([N, N], [N, N])
    assert figures.sensitivity.value is None
    assert figures.ppv.value is None
    assert figures.specificity.value == 1.0
    assert call_figures([], []).accuracy.value is None


def test_lengths_must_match_and_calls_must_be_labels() -> None:
    with pytest.raises(ValueError, match=r"shorter|longer"):
        call_figures([N], [N, H])
    with pytest.raises(ValueError, match="Label"):
        call_figures([N], ["suspicious"])  # type: ignore[list-item]


def test_paired_counts_by_hand() -> None:
    counts = paired_counts([H, H, N, N, N], [H, N, N, H, H], [H, H, H, H, N])
    assert (counts.both_right, counts.only_first_right) == (1, 1)
    assert (counts.only_second_right, counts.neither_right) == (2, 1)


def test_the_threshold_itself_is_called_hsil() -> None:
    assert calls_at([0.1, 0.5, 0.9], 0.5) == [N, H, H]


def test_a_model_that_says_the_same_of_everybody_is_found_out() -> None:
    rows = [Judged(1, 1, N, 0.4), Judged(2, 2, H, 0.6)]
    assert all_one_call(rows, 0.4) is H
    assert all_one_call(rows, 0.61) is N
    assert all_one_call(rows, 0.6) is None
    assert all_one_call([], 0.5) is None
