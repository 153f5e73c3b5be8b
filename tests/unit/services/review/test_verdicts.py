"""A verdict that is not to agree has a reason; the newest of each reviewer counts."""

import pytest

from colpo_core.errors import InputRejected, NotFound
from colpo_core.services.common.callers import Caller
from colpo_core.services.review import desk as review
from colpo_core.services.review import verdicts
from colpo_core.store import Store
from colpo_core.store.tables import AuditEntry, Review
from colpo_core.terms import ReviewReason, Verdict
from tests.conftest import add_person
from tests.support.clinic import PredictedClinic
from tests.support.refusals import refused
from tests.support.store_rows import count


def test_overruling_needs_a_reason(annotator: Caller, desk: PredictedClinic) -> None:
    for reason in ("", "  \n "):
        with pytest.raises(InputRejected, match="why"):
            verdicts.record_review(
                annotator, prediction_id=desk.predictions[0], verdict=Verdict.OVERRULE, reason=reason
            )
    with pytest.raises(InputRejected, match="2000"):
        verdicts.record_review(
            annotator, prediction_id=desk.predictions[0], verdict=Verdict.OVERRULE, reason="x" * 2001
        )
    assert review.list_for_review(annotator).waiting == 3
    refused(NotFound, lambda: verdicts.record_review(annotator, prediction_id=99, verdict=Verdict.AGREE))


def test_the_newest_verdict_counts_and_the_older_stays(store: Store, annotator: Caller, desk: PredictedClinic) -> None:
    prediction_id = desk.predictions[0]
    for _ in range(2):
        verdicts.record_review(annotator, prediction_id=prediction_id, verdict=Verdict.AGREE)
    verdicts.record_review(annotator, prediction_id=prediction_id, verdict=Verdict.OVERRULE, reason="a reflection")
    verdicts.record_review(add_person(store, "otto"), prediction_id=prediction_id, verdict=Verdict.AGREE)
    agreed = review.agreement(annotator)
    assert (agreed.agreed.k, agreed.agreed.n, agreed.n_unsure) == (1, 2, 0)
    opened = review.open_review(annotator, prediction_id=prediction_id)
    assert [(one.reviewer, one.verdict) for one in opened.reviews] == [
        ("Otto", Verdict.AGREE),
        ("Anna", Verdict.OVERRULE),
        ("Anna", Verdict.AGREE),
    ]
    assert count(store, Review) == 3, "pressing twice is one verdict"
    assert count(store, AuditEntry, action="review prediction") == 3


def test_who_is_unsure_says_why_and_is_counted_apart(store: Store, annotator: Caller, desk: PredictedClinic) -> None:
    first, second, _ = desk.predictions
    with pytest.raises(InputRejected, match="unsure"):
        verdicts.record_review(annotator, prediction_id=first, verdict=Verdict.UNSURE)
    with pytest.raises(InputRejected, match="agrees"):
        verdicts.record_review(annotator, prediction_id=first, verdict=Verdict.AGREE, because=ReviewReason.CALL)
    made = verdicts.record_review(
        annotator, prediction_id=first, verdict=Verdict.UNSURE, because=ReviewReason.IMAGE_QUALITY
    )
    assert (made.verdict, made.because, made.reason) == (Verdict.UNSURE, ReviewReason.IMAGE_QUALITY, "")
    verdicts.record_review(annotator, prediction_id=second, verdict=Verdict.AGREE)
    found = review.agreement(annotator)
    assert (found.agreed.k, found.agreed.n, found.n_unsure) == (1, 1, 1)
    assert found.text().endswith("and 1 unsure")
    again = verdicts.record_review(annotator, prediction_id=first, verdict=Verdict.UNSURE, because=ReviewReason.CALL)
    assert again.because is ReviewReason.CALL
    assert count(store, Review, prediction_id=first) == 2
