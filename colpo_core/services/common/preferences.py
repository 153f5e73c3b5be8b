"""What the clinic has set for the whole program, and whether the model may propose a mask."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from colpo_core.services.common import audit
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import ADMINISTRATORS, CLINICIANS, allowed
from colpo_core.store.tables import Preference, utc_now

_PROPOSALS = "proposals"


@dataclass(frozen=True)
class Preferences:
    """The clinic's settings.

    Attributes:
        proposals: Whether annotators may start a mask from the model's proposal.
    """

    proposals: bool = True


@allowed(CLINICIANS)
def get_preferences(caller: Caller) -> Preferences:
    """What is set now."""
    with caller.store.reading() as session:
        return _preferences(session)


@allowed(ADMINISTRATORS)
def set_proposals(caller: Caller, *, allowed: bool) -> Preferences:
    """Let annotators start a mask from the model's proposal, or forbid it; drafts that started from one stay."""
    with caller.store.writing() as session:
        if _preferences(session).proposals != allowed:
            row = session.get(Preference, _PROPOSALS) or Preference(name=_PROPOSALS)
            row.value, row.changed_by, row.changed_at = allowed, caller.person_id, utc_now()
            session.add(row)
            audit.record(session, caller.actor, "set preference", f"preference {_PROPOSALS}", allowed=allowed)
            session.flush()
        return _preferences(session)


def _preferences(session: Session) -> Preferences:
    row = session.get(Preference, _PROPOSALS)
    return Preferences() if row is None else Preferences(proposals=bool(row.value))
