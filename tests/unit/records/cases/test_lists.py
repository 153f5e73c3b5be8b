from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colpo_core.errors import InputRejected
from colpo_core.records.cases.lists import (
    FILTER_WORDS,
    AnnotationNeed,
    CaseFilter,
    CaseSort,
    LabelChoice,
    OutcomeChoice,
    from_words,
    to_words,
)
from colpo_core.terms import Grade, Outcome, ReviewState

shares = st.floats(0, 1) | st.none()
days = st.dates(date(1990, 1, 1), date(2100, 1, 1)) | st.none()
FILTERS = st.builds(
    CaseFilter,
    patient_code=st.text(st.characters(categories=("L", "N", "P")), max_size=8),
    grade=st.sampled_from([None, *Grade]),
    label=st.sampled_from([None, *LabelChoice]),
    annotation=st.sampled_from([None, *AnnotationNeed]),
    simulated=st.sampled_from([None, True, False]),
    outcome=st.sampled_from([None, *OutcomeChoice]),
    networks_differ=st.sampled_from([None, True, False]),
    uncertain_within=shares,
    dice_below=shares,
    review=st.sampled_from([None, *ReviewState]),
    reviewer_id=st.integers(1, 10**9) | st.none(),
    examined_from=days,
    examined_to=days,
    device=st.text(min_size=1, max_size=8) | st.none(),
)


@given(FILTERS, st.sampled_from(CaseSort))
def test_a_filter_and_an_order_come_back_from_their_words(where: CaseFilter, sort: CaseSort) -> None:
    words = to_words(where, sort)
    assert from_words(words) == (where, sort)
    assert set(words) <= set(FILTER_WORDS)


def test_a_selection_of_cases_is_no_word() -> None:
    assert to_words(CaseFilter(case_ids=(1, 2))) == {}


def test_a_month_is_its_first_and_last_day() -> None:
    where, _ = from_words({"month": "2024-02", "case": "12", "tab": "import"})
    assert (where.examined_from, where.examined_to) == (date(2024, 2, 1), date(2024, 2, 29))


@pytest.mark.parametrize(
    "words",
    [
        {"grade": "cin9"},
        {"simulated": "maybe"},
        {"uncertain": "2"},
        {"dice": "nan"},
        {"reviewer": "me"},
        {"from": "yesterday"},
        {"month": "2024-13"},
        {"sort": "colour"},
    ],
)
def test_a_word_that_cannot_stand_there_is_refused(words: dict[str, str]) -> None:
    with pytest.raises(InputRejected):
        from_words(words)


def test_each_outcome_is_wrong_or_right() -> None:
    wrong, right = set(OutcomeChoice.WRONG.outcomes), set(OutcomeChoice.RIGHT.outcomes)
    assert (wrong | right, wrong & right) == (set(Outcome), set())
    assert OutcomeChoice.FALSE_NEGATIVE.outcomes == (Outcome.FALSE_NEGATIVE,)
