from dataclasses import replace
from typing import Any

import pytest

from colpo_core.errors import InputRejected
from colpo_core.records.studies.reading_plans import Aid, ReadingPlan
from colpo_core.studies.design import MOST_CASES, DesignCase, DesignCheckpoint, StudyDesign, find_problems
from colpo_core.terms import ExposureRule, Label

CASES = (
    DesignCase(1, 11, "a" * 64, Label.NORMAL),
    DesignCase(2, 12, "b" * 64, Label.HSIL),
    DesignCase(3, 13, "c" * 64, Label.NORMAL),
)
DESIGN = StudyDesign(
    name="First",
    question="Do they agree?",
    chosen_by="picked by number",
    left_out=(("no label by histology", 2),),
    seed=5,
    rules_versions=("kim-2022.1",),
    cases=CASES,
    reader_ids=(4, 9),
    checkpoints=(DesignCheckpoint(1, "d" * 64),),
)


def test_equal_designs_have_one_seal_in_whatever_order_they_are_given() -> None:
    again = replace(DESIGN, cases=CASES[::-1], reader_ids=(9, 4))
    assert again.sha256 == DESIGN.sha256
    assert again.to_json() == DESIGN.to_json()
    assert b" " not in DESIGN.to_json().replace(b"Do they agree?", b"").replace(b"picked by number", b"").replace(
        b"no label by histology", b""
    )


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 6},
        {"reader_ids": (4,)},
        {"checkpoints": (DesignCheckpoint(1, "e" * 64),)},
        {"cases": (*CASES[:2], replace(CASES[2], truth=Label.HSIL))},
        {"cases": (*CASES[:2], replace(CASES[2], image_sha256="f" * 64))},
        {"cases": CASES[:2]},
        {"question": "Another"},
        {"rules_versions": ("kim-2022.2",)},
    ],
)
def test_any_change_breaks_the_seal(change: dict[str, Any]) -> None:
    assert replace(DESIGN, **change).sha256 != DESIGN.sha256


def test_the_stored_form_is_what_was_hashed() -> None:
    assert DESIGN.to_dict()["cases"][1] == {"case_id": 2, "image_id": 12, "image_sha256": "b" * 64, "truth": "hsil"}


@pytest.mark.parametrize(
    "change", [{"cases": (*CASES, CASES[0])}, {"reader_ids": (4, 4)}, {"cases": (*CASES, replace(CASES[0], case_id=9))}]
)
def test_nothing_stands_twice(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="stands twice"):
        replace(DESIGN, **change)


def test_a_sound_design_passes() -> None:
    DESIGN.check()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"reader_ids": ()}, "at least one reader"),
        ({"cases": CASES[:1]}, "at least 2 cases"),
        ({"cases": (CASES[0], CASES[2])}, "Every case of the study is normal"),
    ],
)
def test_a_design_that_answers_nothing_is_refused_with_the_reason(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputRejected, match=reason):
        replace(DESIGN, **change).check()


def test_all_reasons_are_named_at_once() -> None:
    assert len(find_problems(0, [Label.HSIL] * (MOST_CASES + 1))) == 3
    assert find_problems(1, [Label.HSIL, Label.NORMAL]) == ()


def test_a_design_from_before_plans_keeps_its_seal() -> None:
    assert DESIGN.sha256 == "6461c20c3fb813458a497f1c7afe6c62badfe71176585bd014b89969c31f34bc"
    assert DESIGN.how == ReadingPlan()


def test_a_plan_from_before_the_aid_and_one_of_a_crossover_keep_their_seals() -> None:
    plan = ReadingPlan(n_sessions=2, exposed=ExposureRule.EXCLUDE, interim_results=False)
    before = replace(DESIGN, plan=plan)
    assert before.sha256 == "8878114d5eded211b2b40925dfd3a5f664804d615c2be00077950f474a532c4a"
    crossed = replace(DESIGN, plan=replace(plan, aid=Aid.AT_ONCE, aid_checkpoint_id=1))
    assert crossed.sha256 == "9692d7e0900ab31799a2af4e8b57735000dd51c4a5384cde146f29804bf4c2c6"
    whole = replace(DESIGN, plan=replace(crossed.plan, crossover=False))
    other = replace(DESIGN, plan=replace(crossed.plan, aid_checkpoint_id=2))
    assert len({one.sha256 for one in (before, crossed, whole, other)}) == 4


def test_the_plan_and_the_practice_cases_are_sealed() -> None:
    planned = replace(DESIGN, plan=ReadingPlan())
    practised = replace(planned, practice=(DesignCase(7, 17, "e" * 64, Label.NORMAL),))
    longer = replace(planned, plan=ReadingPlan(washout_days=29))
    assert len({one.sha256 for one in (DESIGN, planned, practised, longer)}) == 4
    with pytest.raises(ValueError, match="stands twice"):
        replace(planned, practice=CASES[:1])
