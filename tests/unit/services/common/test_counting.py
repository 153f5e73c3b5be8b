"""Counting no further than anybody wants to know."""

import pytest

from colpo_core.records.overview.worklist import MOST_COUNTED, WorkItem, WorkKind
from colpo_core.services.common.counting import count_up_to
from colpo_core.store import Store
from colpo_core.store.tables import Image
from colpo_core.terms import Stage
from tests.support.clinic import Clinic


def test_up_to_the_limit_the_number_is_the_number(store: Store, clinic: Clinic) -> None:
    for _ in range(5):
        clinic.add_case()
    clinic.add_case(stage=Stage.LUGOL)
    acetic = Image.stage == Stage.ACETIC_ACID
    with store.reading() as session:
        counted = [count_up_to(session, Image, acetic, most=most) for most in (3, 4, 5, 6, MOST_COUNTED)]
        assert counted == [4, 5, 5, 5, 5]
        assert count_up_to(session, Image) == 6


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (10_000, "10,000"), (10_001, "10,000+")])
def test_more_than_is_counted_is_said_so(number: int, text: str) -> None:
    assert WorkItem(WorkKind.TO_REVIEW, "predictions to review", number, "review").number_text == text
