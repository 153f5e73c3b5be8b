"""Views: the filters and the order of a list of cases that a person keeps under a name, for their own use."""

from sqlalchemy import func, select

from colpo_core.errors import InputRejected, NotFound
from colpo_core.records.cases.lists import CaseFilter, CaseSort, ViewRecord, from_words, to_words
from colpo_core.records.people import Actor
from colpo_core.services.common.permissions import CLINICIANS, require
from colpo_core.store import Store
from colpo_core.store.tables import SavedView

MAX_NAME = 60
_MOST = 50


def list_views(store: Store, *, actor: Actor) -> tuple[ViewRecord, ...]:
    """The actor's own views, by name.

    Raises:
        PermissionDenied: The actor is a reader.
    """
    require(actor, CLINICIANS)
    with store.reading() as session:
        query = select(SavedView).where(SavedView.person_id == actor.person_id)
        return tuple(_record(row) for row in session.scalars(query.order_by(func.lower(SavedView.name), SavedView.id)))


def save_view(store: Store, *, actor: Actor, name: str, where: CaseFilter, sort: CaseSort) -> ViewRecord:
    """Keep a filter and an order under a name. A view of this name is replaced.

    Args:
        store: The open store.
        actor: Whose view it is.
        name: What the actor calls it, 1 to 60 characters.
        where: The filter; a selection of cases is not kept.
        sort: The order.

    Raises:
        PermissionDenied: The actor is a reader.
        InputRejected: The name is empty or too long, or the actor keeps fifty views.
    """
    require(actor, CLINICIANS)
    called = " ".join(name.split())
    if not 1 <= len(called) <= MAX_NAME:
        raise InputRejected(f"Give the view a name of 1 to {MAX_NAME} characters.")
    with store.writing() as session:
        mine = session.scalars(select(SavedView).where(SavedView.person_id == actor.person_id)).all()
        view = next((row for row in mine if row.name == called), None)
        if view is None:
            if len(mine) >= _MOST:
                raise InputRejected(f"You keep {_MOST} views. Delete one of them first.")
            view = SavedView(person_id=actor.person_id, name=called)
            session.add(view)
        view.query = to_words(where, sort)
        session.flush()
        return _record(view)


def delete_view(store: Store, *, actor: Actor, view_id: int) -> None:
    """Forget one of the actor's own views.

    Raises:
        PermissionDenied: The actor is a reader.
        NotFound: The actor keeps no such view.
    """
    require(actor, CLINICIANS)
    with store.writing() as session:
        view = session.get(SavedView, view_id)
        if view is None or view.person_id != actor.person_id:
            raise NotFound("You keep no such view.")
        session.delete(view)


def _record(view: SavedView) -> ViewRecord:
    where, sort = from_words(view.query)
    return ViewRecord(view.id, view.name, where, sort)
