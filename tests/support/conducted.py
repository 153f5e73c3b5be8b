"""Studies for tests of their conduct: made, sealed, opened, and read on."""

from collections.abc import Sequence

from colpo_core.records.studies.reading_plans import ReadingPlan
from colpo_core.records.studies.readings import Presented
from colpo_core.services.common.callers import Caller
from colpo_core.services.studies import designing, presenting, readings
from colpo_core.terms import Label


def make_study(
    administrator: Caller,
    readers: Sequence[Caller],
    plan: ReadingPlan | None = None,
    *,
    practice: Sequence[int] = (),
    name: str = "Conducted",
    question: str = "The first wording",
    checkpoint_ids: Sequence[int] = (),
    seed: int = 3,
) -> int:
    """A study of all labelled cases, open."""
    study = designing.create_study(
        administrator,
        name=name,
        question=question,
        reader_ids=[one.person_id for one in readers],
        checkpoint_ids=checkpoint_ids,
        plan=plan,
        practice_case_ids=practice,
        seed=seed,
    )
    designing.open_study(administrator, study_id=study.id)
    return study.id


def read_on(reader: Caller, study_id: int, *, at_most: int = 1000) -> int:
    """Answer what waits; returns how many were answered."""
    for number in range(at_most):
        shown = presenting.next_case(reader, study_id=study_id)
        if shown is None:
            return number
        readings.record_reading(reader, study_id=study_id, token=shown.token, call=Label.HSIL, confidence=50)
    return at_most


def waiting(reader: Caller, study_id: int) -> Presented:
    """What is put before a reader next."""
    shown = presenting.next_case(reader, study_id=study_id)
    assert shown is not None
    return shown
