"""What the clinic has set for the whole program, and whether the model may propose a mask."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from colpo_core.records.people import Actor
from colpo_core.services import audit
from colpo_core.services.annotator_blinding import prediction_is_hidden
from colpo_core.services.permissions import ADMINISTRATORS, CLINICIANS, require
from colpo_core.services.task_items import open_items
from colpo_core.store import Store
from colpo_core.store.tables import Preference, utc_now
from colpo_core.terms import Finding

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


def proposals_refusal(session: Session, actor: Actor, image_id: int, finding: Finding) -> str:
    """Why the model may not propose this person's mask of an image, as a sentence; empty where it may.

    A task without proposals forbids them for as long as it is open, also after the person's mask is submitted, and on
    every finding of an image that waits in it.

    Args:
        session: A reading or writing session.
        actor: Who is going to paint.
        image_id: The image.
        finding: What the mask shows.
    """
    if finding is not Finding.ACETOWHITE:
        return "The model marks acetowhite epithelium alone. Start this finding from nothing or from another mask."
    if not _preferences(session).proposals:
        return "An administrator has switched the model's proposals off."
    items = open_items(session, image_id=image_id, annotator_id=actor.person_id, finding=finding)
    if any(not item.task.proposals for item in items) or prediction_is_hidden(session, actor, image_id):
        return "This image is in a task of yours that is to be painted without the model's proposals."
    return ""


def _preferences(session: Session) -> Preferences:
    row = session.get(Preference, _PROPOSALS)
    return Preferences() if row is None else Preferences(proposals=bool(row.value))
