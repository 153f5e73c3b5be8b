from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colpo_core.labels import (
    GRADE_LABELS,
    GRADE_NAMES,
    RULES_VERSION,
    highest_grade,
    label_from_histology,
    label_from_impression,
)
from colpo_core.terms import Colposcopy, Grade, Label, LabelSource

WATCHED = [Grade.NORMAL, Grade.CHRONIC_CERVICITIS, Grade.CIN1]
TREATED = [Grade.CIN2, Grade.CIN3]
OUTSIDE = [Grade.ADENOCARCINOMA_IN_SITU, Grade.INVASIVE_CARCINOMA]
grades = st.sampled_from(list(Grade))
colposcopies = st.sampled_from(list(Colposcopy))


def test_every_grade_has_a_rule_and_a_name() -> None:
    assert set(GRADE_LABELS) == set(GRADE_NAMES) == set(Grade)


@pytest.mark.parametrize("grade", WATCHED)
def test_what_can_be_watched_is_normal(grade: Grade) -> None:
    decision = label_from_histology([grade], Colposcopy.NOT_RECORDED)
    assert decision.label is Label.NORMAL
    assert decision.grade is grade
    assert "can be watched" in decision.reason
    assert not decision.flagged


@pytest.mark.parametrize("grade", TREATED)
def test_what_needs_treatment_is_hsil(grade: Grade) -> None:
    decision = label_from_histology([grade], Colposcopy.NOT_RECORDED)
    assert decision.label is Label.HSIL
    assert "needs treatment" in decision.reason
    assert not decision.flagged


@pytest.mark.parametrize("grade", OUTSIDE)
def test_cancer_and_its_glandular_precursor_are_excluded_and_flagged(grade: Grade) -> None:
    decision = label_from_histology([grade], Colposcopy.NORMAL)
    assert decision.label is None
    assert decision.flagged
    assert decision.reason.startswith("excluded")
    assert GRADE_NAMES[grade] in decision.reason


@pytest.mark.parametrize("colposcopy", list(Colposcopy))
def test_without_biopsy_only_a_normal_colposcopy_gives_a_label(colposcopy: Colposcopy) -> None:
    decision = label_from_histology([], colposcopy)
    assert decision.label is (Label.NORMAL if colposcopy is Colposcopy.NORMAL else None)
    assert decision.grade is None
    assert not decision.flagged
    assert decision.reason


def test_the_highest_of_several_specimens_counts_and_the_reason_says_how_many() -> None:
    decision = label_from_histology([Grade.CIN1, Grade.CIN3, Grade.NORMAL], Colposcopy.NOT_RECORDED)
    assert decision.label is Label.HSIL
    assert decision.grade is Grade.CIN3
    assert decision.reason == "highest of 3 specimens: CIN3, which needs treatment"


@given(st.lists(grades, min_size=1), colposcopies, st.randoms())
def test_order_and_repetition_of_specimens_change_nothing(
    listed: list[Grade], colposcopy: Colposcopy, random: Random
) -> None:
    shuffled = [*listed, listed[0]]
    random.shuffle(shuffled)
    first = label_from_histology(listed, colposcopy)
    second = label_from_histology(shuffled, colposcopy)
    assert (first.label, first.grade, first.flagged) == (second.label, second.grade, second.flagged)


@given(st.lists(grades, min_size=1), colposcopies, colposcopies)
def test_with_histology_the_colposcopy_does_not_matter(listed: list[Grade], one: Colposcopy, other: Colposcopy) -> None:
    assert label_from_histology(listed, one) == label_from_histology(listed, other)


@given(st.lists(grades), grades, colposcopies)
def test_a_further_specimen_never_lowers_the_grade(listed: list[Grade], further: Grade, colposcopy: Colposcopy) -> None:
    before = label_from_histology(listed, colposcopy).grade
    after = label_from_histology([*listed, further], colposcopy).grade
    assert after is not None
    assert after.severity >= (before.severity if before else 0)


@given(st.lists(grades), colposcopies)
def test_cancer_is_never_normal_and_nothing_flagged_has_a_label(listed: list[Grade], colposcopy: Colposcopy) -> None:
    decision = label_from_histology(listed, colposcopy)
    assert decision.flagged is bool(set(listed) & set(OUTSIDE))
    assert not (decision.flagged and decision.label)
    assert decision.reason.startswith("excluded") is (decision.label is None)
    assert decision.source is LabelSource.HISTOLOGY
    assert decision.rules_version == RULES_VERSION


@given(st.lists(grades))
def test_the_highest_grade_is_one_of_them_and_none_is_above_it(listed: list[Grade]) -> None:
    top = highest_grade(listed)
    if not listed:
        assert top is None
    else:
        assert top in listed
        assert all(grade.severity <= top.severity for grade in listed)


@pytest.mark.parametrize(("score", "label"), [(0, Label.NORMAL), (4, Label.NORMAL), (5, Label.HSIL), (10, Label.HSIL)])
def test_an_impression_turns_at_five_and_says_that_it_is_no_histology(score: int, label: Label) -> None:
    decision = label_from_impression(score)
    assert decision.label is label
    assert decision.source is LabelSource.IMPRESSION
    assert decision.grade is None
    assert "not histology" in decision.reason


def test_without_a_complete_score_an_impression_gives_no_label() -> None:
    decision = label_from_impression(None)
    assert decision.label is None
    assert decision.reason == "excluded: no complete Swede score"


@pytest.mark.parametrize("score", [-1, 11])
def test_a_score_that_cannot_be_is_a_mistake_of_the_caller(score: int) -> None:
    with pytest.raises(ValueError, match="between 0 and 10"):
        label_from_impression(score)
