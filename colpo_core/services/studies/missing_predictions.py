"""Predictions that a study is compared with and does not have yet."""

from sqlalchemy import select

from colpo_core.errors import StudyLocked
from colpo_core.records.jobs.jobs import JobRecord
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import ADMINISTRATORS, allowed
from colpo_core.services.models.predicting import start_prediction
from colpo_core.services.studies.rows import check_seal, design_of
from colpo_core.store.facts import find_row
from colpo_core.store.tables import Prediction, Study
from colpo_core.terms import StudyState


@allowed(ADMINISTRATORS)
def predict_missing(caller: Caller, *, study_id: int, checkpoint_id: int) -> JobRecord | None:
    """Start a job that predicts what a checkpoint has not predicted of a study; None where nothing is missing.

    Raises:
        NotFound: There is no such study.
        StudyLocked: The study is no longer what was sealed, or not compared with this checkpoint.
    """
    with caller.store.reading() as session:
        study = find_row(session, Study, study_id)
        design = design_of(session, study) if study.state is StudyState.DRAFT else check_seal(session, study)
        if checkpoint_id not in {checkpoint.checkpoint_id for checkpoint in design.checkpoints}:
            raise StudyLocked("This study is not compared with that checkpoint, and a sealed study does not change.")
        image_ids = {case.image_id for case in design.cases}
        done = session.scalars(
            select(Prediction.image_id).where(
                Prediction.checkpoint_id == checkpoint_id, Prediction.image_id.in_(image_ids)
            )
        )
        missing = sorted(image_ids - set(done))
    if not missing:
        return None
    return start_prediction(caller, image_ids=missing, checkpoint_id=checkpoint_id)
