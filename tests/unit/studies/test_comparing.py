import pytest

from colpo_core.studies.comparing import compare_calls
from colpo_core.terms import Label

N, H = Label.NORMAL, Label.HSIL


def test_all_cases_called() -> None:
    found = compare_calls({1: N, 2: H, 3: H, 4: N}, {1: N, 2: H, 3: N, 4: H})
    assert (found.n_called, found.n_cases, found.n_unseen, found.unseen) == (4, 4, 4, None)
    figures = found.figures
    assert (figures.true_positive, figures.false_negative) == (1, 1)
    assert (figures.true_negative, figures.false_positive) == (1, 1)


def test_missing_calls_lower_the_count_and_hide_nothing() -> None:
    found = compare_calls({1: N, 2: H, 3: H}, {2: H})
    assert (found.n_called, found.n_cases) == (1, 3)
    assert (found.figures.sensitivity.k, found.figures.sensitivity.n) == (1, 1)
    assert found.figures.specificity.value is None


def test_nothing_called() -> None:
    found = compare_calls({1: N, 2: H}, {})
    assert found.n_called == 0
    assert found.figures.accuracy.value is None


def test_cases_of_the_training_are_told_apart() -> None:
    found = compare_calls({1: N, 2: H, 3: H}, {1: N, 2: H, 3: N}, seen={1, 2})
    assert found.n_unseen == 1
    assert (found.unseen.accuracy.k, found.unseen.accuracy.n) == (0, 1)
    assert (found.figures.accuracy.k, found.figures.accuracy.n) == (2, 3)


def test_where_all_were_seen_there_is_nothing_unseen_to_judge() -> None:
    found = compare_calls({1: N, 2: H}, {1: N, 2: H}, seen={1, 2})
    assert (found.n_unseen, found.unseen) == (0, None)


def test_a_call_on_a_strange_case_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="not in the study"):
        compare_calls({1: N, 2: H}, {3: N})


def test_reader_1_of_van_dyke_is_judged_as_in_r() -> None:
    """Van Dyke et al. 1993, first arm, a rating of 3 or more read as positive; bounds of R's binom.test."""
    pairs = [(H, H)] * 40 + [(H, N)] * 5 + [(N, N)] * 56 + [(N, H)] * 13
    truth = {index: label for index, (label, _) in enumerate(pairs)}
    calls = {index: call for index, (_, call) in enumerate(pairs)}
    figures = compare_calls(truth, calls).figures
    for found, k, n, low, high in [
        (figures.sensitivity, 40, 45, 0.759464, 0.962923),
        (figures.specificity, 56, 69, 0.699396, 0.895688),
        (figures.ppv, 40, 53, 0.617175, 0.862449),
        (figures.npv, 56, 61, 0.818988, 0.972849),
        (figures.accuracy, 96, 114, 0.761985, 0.903653),
    ]:
        assert (found.k, found.n) == (k, n)
        assert (found.low, found.high) == (pytest.approx(low, abs=5e-7), pytest.approx(high, abs=5e-7))
