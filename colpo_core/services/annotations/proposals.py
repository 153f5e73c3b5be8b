"""Whether a person may start a mask from the model's proposal."""

from sqlalchemy.orm import Session

from colpo_core.records.people import Actor
from colpo_core.services.annotations.task_items import open_items
from colpo_core.services.common.blinding import prediction_is_hidden
from colpo_core.services.common.preferences import _preferences
from colpo_core.terms import Finding


def proposals_refusal(session: Session, actor: Actor, image_id: int, finding: Finding) -> str:
    """Why the model may not propose this person's mask of an image, as a sentence; empty where it may.

    A task without proposals forbids them for as long as it is open, also after the person's mask is submitted, and on
    every finding of an image that waits in it.
    """
    if finding is not Finding.ACETOWHITE:
        return "The model marks acetowhite epithelium alone. Start this finding from nothing or from another mask."
    if not _preferences(session).proposals:
        return "An administrator has switched the model's proposals off."
    items = open_items(session, image_id=image_id, annotator_id=actor.person_id, finding=finding)
    if any(not item.task.proposals for item in items) or prediction_is_hidden(session, actor, image_id):
        return "This image is in a task of yours that is to be painted without the model's proposals."
    return ""
