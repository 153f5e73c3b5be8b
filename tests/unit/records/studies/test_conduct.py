from datetime import UTC, datetime

import pytest

from colpo_core.records.studies.conduct import AmendmentRecord, ReaderExposure, StudyConduct
from colpo_core.terms import AmendmentKind, ExposureKind, ExposureRule


@pytest.mark.parametrize("kind", list(AmendmentKind))
def test_every_amendment_has_words(kind: AmendmentKind) -> None:
    change = {"missing": 4, "before": "Old?", "after": "New?", "reader_id": 7}
    text = AmendmentRecord(1, datetime.now(UTC), "Ada", kind, change, "why", "Rita").text
    told = {
        AmendmentKind.READER_ADDED: "Rita",
        AmendmentKind.READER_REMOVED: "Rita",
        AmendmentKind.CLOSED_EARLY: "4 readings",
        AmendmentKind.QUESTION_CORRECTED: "“Old?” and is “New?”",
    }
    assert told[kind] in text


def test_nothing_to_warn_of_where_nobody_was_exposed_and_nobody_looked() -> None:
    clean = ReaderExposure(1, "Rita", 5, 0, (), 0, 0)
    assert clean.text == "none"
    assert StudyConduct(ExposureRule.EXCLUDE, interim_results=True, exposures=(clean,)).warnings == ()


def test_exclusions_flags_and_looks_are_told_in_this_order() -> None:
    kinds = ((ExposureKind.LABEL, 2), (ExposureKind.ANNOTATED, 1))
    exposed = ReaderExposure(1, "Rita", 5, 3, kinds, n_withheld=2, n_flagged=1)
    conduct = StudyConduct(ExposureRule.EXCLUDE, interim_results=True, n_interim_looks=3, exposures=(exposed,))
    withheld, flagged, looks = conduct.warnings
    assert "not given 2 of 5 cases" in withheld
    assert "label 2, annotated 1" in withheld
    assert "read 1 of 5 cases after" in flagged
    assert "3 looks" in looks
