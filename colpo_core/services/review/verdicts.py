"""A clinician's verdicts on predictions, and how often they agree with a checkpoint."""

import re

from colpo_core.errors import InputRejected
from colpo_core.records.review.reviews import ReviewRecord
from colpo_core.services.common import audit, exposures
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.review.rows import reviews_of, visible_prediction
from colpo_core.store.tables import Review
from colpo_core.terms import ExposureKind, ReviewReason, Verdict

_MAX_REASON = 2000


@allowed(CLINICIANS)
def record_review(
    caller: Caller,
    *,
    prediction_id: int,
    verdict: Verdict,
    reason: str = "",
    because: ReviewReason | None = None,
) -> ReviewRecord:
    """Enter a verdict; an earlier one of the same reviewer stays in the history, and counts no more.

    Args:
        caller: An administrator or annotator.
        prediction_id: Row of the prediction.
        verdict: Agree, overrule or unsure.
        reason: Why, in the reviewer's own words.
        because: Why, in one word. Who does not agree gives one of the two.

    Raises:
        Blinding: The prediction is kept back from the caller, who has yet to paint the image.
        NotFound: There is no such prediction.
        InputRejected: Not agreed and no reason given, agreed with one word for why not, or the reason is too long.
    """
    why = re.sub(r"\s+", " ", reason).strip()
    if verdict is not Verdict.AGREE and not why and because is None:
        word = "overrule the model" if verdict is Verdict.OVERRULE else "are unsure"
        raise InputRejected(f"Say why you {word}: choose a reason or write one. It stays beside the verdict.")
    if verdict is Verdict.AGREE and because is not None:
        raise InputRejected("Whoever agrees needs no reason why not. Leave it empty.")
    if len(why) > _MAX_REASON:
        raise InputRejected(f"Keep the reason under {_MAX_REASON} characters.")
    with caller.store.writing() as session:
        image = visible_prediction(session, caller.actor, prediction_id)[1]
        exposures.note_within(session, caller.actor, [(image.case_id, ExposureKind.PREDICTION)])
        mine = next((old for old in reviews_of(session, prediction_id) if old.reviewer_id == caller.person_id), None)
        if mine is None or (mine.verdict, mine.because, mine.reason) != (verdict, because, why):
            session.add(
                Review(
                    prediction_id=prediction_id,
                    reviewer_id=caller.person_id,
                    verdict=verdict,
                    because=because,
                    reason=why,
                )
            )
            session.flush()
            audit.record(
                session, caller.actor, "review prediction", f"prediction {prediction_id}", verdict=verdict.value
            )
        return next(review for review in reviews_of(session, prediction_id) if review.reviewer_id == caller.person_id)
