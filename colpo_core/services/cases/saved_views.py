"""Views: the filters and the order of a list of cases that a person keeps under a name, for their own use."""

from sqlalchemy import func, select

from colpo_core.errors import InputRejected, NotFound
from colpo_core.records.cases.lists import CaseFilter, CaseSort, ViewRecord, from_words, to_words
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.store.tables import SavedView

MAX_NAME = 60
_MOST = 50


@allowed(CLINICIANS)
def list_views(caller: Caller) -> tuple[ViewRecord, ...]:
    """The caller's own views, by name."""
    with caller.store.reading() as session:
        query = select(SavedView).where(SavedView.person_id == caller.person_id)
        return tuple(_record(row) for row in session.scalars(query.order_by(func.lower(SavedView.name), SavedView.id)))


@allowed(CLINICIANS)
def save_view(caller: Caller, *, name: str, where: CaseFilter, sort: CaseSort) -> ViewRecord:
    """Keep a filter and an order under a name. A view of this name is replaced.

    Args:
        caller: Whose view it is.
        name: What the caller calls it, 1 to 60 characters.
        where: The filter; a selection of cases is not kept.
        sort: The order.

    Raises:
        InputRejected: The name is empty or too long, or the caller keeps fifty views.
    """
    called = " ".join(name.split())
    if not 1 <= len(called) <= MAX_NAME:
        raise InputRejected(f"Give the view a name of 1 to {MAX_NAME} characters.")
    with caller.store.writing() as session:
        mine = session.scalars(select(SavedView).where(SavedView.person_id == caller.person_id)).all()
        view = next((row for row in mine if row.name == called), None)
        if view is None:
            if len(mine) >= _MOST:
                raise InputRejected(f"You keep {_MOST} views. Delete one of them first.")
            view = SavedView(person_id=caller.person_id, name=called)
            session.add(view)
        view.query = to_words(where, sort)
        session.flush()
        return _record(view)


@allowed(CLINICIANS)
def delete_view(caller: Caller, *, view_id: int) -> None:
    """Forget one of the caller's own views.

    Raises:
        NotFound: The caller keeps no such view.
    """
    with caller.store.writing() as session:
        view = session.get(SavedView, view_id)
        if view is None or view.person_id != caller.person_id:
            raise NotFound("You keep no such view.")
        session.delete(view)


def _record(view: SavedView) -> ViewRecord:
    where, sort = from_words(view.query)
    return ViewRecord(view.id, view.name, where, sort)
