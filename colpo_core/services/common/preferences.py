"""What the clinic has set for the whole program, and whether the model may propose a mask."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from colpo_core.records.people import Actor
from colpo_core.services.common import audit
from colpo_core.services.common.permissions import ADMINISTRATORS, CLINICIANS, require
from colpo_core.store import Store
from colpo_core.store.tables import Preference, utc_now

_PROPOSALS = "proposals"


@dataclass(frozen=True)
class Preferences:
    """The clinic's settings.

    Attributes:
        proposals: Whether annotators may start a mask from the model's proposal.
    """

    proposals: bool = True


def get_preferences(store: Store, *, actor: Actor) -> Preferences:
    """What is set now.

    Raises:
        PermissionDenied: The actor is a reader.
    """
    require(actor, CLINICIANS)
    with store.reading() as session:
        return _preferences(session)


def set_proposals(store: Store, *, actor: Actor, allowed: bool) -> Preferences:
    """Let annotators start a mask from the model's proposal, or forbid it; drafts that started from one stay.

    Raises:
        PermissionDenied: The actor is no administrator.
    """
    require(actor, ADMINISTRATORS)
    with store.writing() as session:
        if _preferences(session).proposals != allowed:
            row = session.get(Preference, _PROPOSALS) or Preference(name=_PROPOSALS)
            row.value, row.changed_by, row.changed_at = allowed, actor.person_id, utc_now()
            session.add(row)
            audit.record(session, actor, "set preference", f"preference {_PROPOSALS}", allowed=allowed)
            session.flush()
        return _preferences(session)


def _preferences(session: Session) -> Preferences:
    row = session.get(Preference, _PROPOSALS)
    return Preferences() if row is None else Preferences(proposals=bool(row.value))
