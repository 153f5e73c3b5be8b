import pytest

from colpo_core.errors import InputRejected, NotFound, PermissionDenied
from colpo_core.records.cases.lists import CaseFilter, CaseSort, OutcomeChoice
from colpo_core.services.cases.saved_views import delete_view, list_views, save_view
from colpo_core.services.common.callers import Caller
from colpo_core.store import Store
from colpo_core.terms import Grade
from tests.conftest import add_person
from tests.support.refusals import refused

MISSED = CaseFilter(outcome=OutcomeChoice.FALSE_NEGATIVE, grade=Grade.CIN3)


def test_a_view_comes_back_as_it_was_kept_to_its_owner_alone(store: Store, annotator: Caller) -> None:
    view = save_view(annotator, name="  To   discuss ", where=MISSED, sort=CaseSort.PROBABILITY)
    assert (view.name, view.where, view.sort) == ("To discuss", MISSED, CaseSort.PROBABILITY)
    assert list_views(annotator) == (view,)
    other = add_person(store, "other")
    assert list_views(other) == ()
    refused(NotFound, lambda: delete_view(other, view_id=view.id))
    assert list_views(annotator) == (view,)
    delete_view(annotator, view_id=view.id)
    assert list_views(annotator) == ()


def test_a_view_of_the_same_name_is_replaced(annotator: Caller) -> None:
    first = save_view(annotator, name="mine", where=MISSED, sort=CaseSort.NEWEST)
    second = save_view(annotator, name="mine", where=CaseFilter(), sort=CaseSort.EXAMINED)
    assert (first.id, second.where) == (second.id, CaseFilter())
    assert list_views(annotator) == (second,)


def test_what_cannot_be_a_view_is_refused_and_keeps_nothing(annotator: Caller, reader: Caller) -> None:
    for name in (" ", "x" * 61):
        with pytest.raises(InputRejected, match="1 to 60"):
            save_view(annotator, name=name, where=MISSED, sort=CaseSort.NEWEST)
    for number in range(50):
        save_view(annotator, name=f"view {number}", where=MISSED, sort=CaseSort.NEWEST)
    with pytest.raises(InputRejected, match="Delete one"):
        save_view(annotator, name="one more", where=MISSED, sort=CaseSort.NEWEST)
    assert len(list_views(annotator)) == 50
    refused(PermissionDenied, lambda: list_views(reader))
