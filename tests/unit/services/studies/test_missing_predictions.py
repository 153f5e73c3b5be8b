"""What a study is compared with and does not have yet is predicted in a job."""

import pytest

from colpo_core.errors import StudyLocked
from colpo_core.services.common.callers import Caller
from colpo_core.services.studies.missing_predictions import predict_missing
from colpo_core.store import Store
from colpo_core.store.tables import Job
from colpo_core.terms import JobKind
from tests.support.compared_studies import Clinic, predict
from tests.support.store_rows import row


def test_what_is_missing_is_predicted_in_a_job(
    store: Store, administrator: Caller, clinic: Clinic, study_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("colpo_core.services.jobs.engine.place", lambda store, job_id: None)
    predict(store, clinic, {0: (0.1, 0.1)})
    job = predict_missing(administrator, study_id=study_id, checkpoint_id=clinic.checkpoint_id)
    assert job.kind is JobKind.PREDICT
    assert row(store, Job).settings["image_ids"] == sorted(clinic.image_ids[1:])
    with pytest.raises(StudyLocked, match="not compared"):
        predict_missing(administrator, study_id=study_id, checkpoint_id=99)


def test_nothing_missing_starts_no_job(store: Store, administrator: Caller, clinic: Clinic, study_id: int) -> None:
    predict(store, clinic, dict.fromkeys(range(4), (0.1, 0.1)))
    assert predict_missing(administrator, study_id=study_id, checkpoint_id=clinic.checkpoint_id) is None
