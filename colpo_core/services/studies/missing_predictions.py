"""Predictions that a study is compared with and does not have yet."""

from sqlalchemy import select

from colpo_core.errors import StudyLocked
from colpo_core.records.jobs.jobs import JobRecord
from colpo_core.records.people import Actor
from colpo_core.services.common.permissions import ADMINISTRATORS, require
from colpo_core.services.models.predicting import start_prediction
from colpo_core.services.studies.rows import check_seal, design_of, get_study_row
from colpo_core.store import Store
from colpo_core.store.tables import Prediction
from colpo_core.terms import StudyState


def predict_missing(store: Store, *, actor: Actor, study_id: int, checkpoint_id: int) -> JobRecord | None:
    """Start a job that predicts what a checkpoint has not predicted of a study; None where nothing is missing.

    Raises:
        PermissionDenied: The actor is no administrator.
        NotFound: There is no such study.
        StudyLocked: The study is no longer what was sealed, or not compared with this checkpoint.
    """
    require(actor, ADMINISTRATORS)
    with store.reading() as session:
        study = get_study_row(session, study_id)
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
    return start_prediction(store, actor=actor, image_ids=missing, checkpoint_id=checkpoint_id)
