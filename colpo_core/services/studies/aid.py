"""The model's output that an aided reader sees: when, of which case, and nothing before its time."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from colpo_core.errors import Blinding, InputRejected, NotFound
from colpo_core.images.colours import map_png
from colpo_core.images.maps import brightest_of_network, unpack_maps
from colpo_core.images.masks import mask_png
from colpo_core.records.colours import MODEL_MASK, MODEL_MASK_ALPHA, rgba
from colpo_core.records.studies.reading_plans import Aid
from colpo_core.records.studies.readings import AidShown
from colpo_core.services.common.mask_rows import mask_pixels
from colpo_core.services.common.model_marks import marks_of
from colpo_core.services.studies.cases import seen_cases
from colpo_core.services.studies.readers import amended, plan_of
from colpo_core.store import Store
from colpo_core.store.tables import Checkpoint, Image, Mask, Prediction, Study, StudyCase, StudyReader
from colpo_core.studies.arms import aided_cases, aided_sessions
from colpo_core.terms import Arm

MAP = "4ch-hsil"
LAYERS = ("mask", "map")


@dataclass(frozen=True)
class Turn:
    """Which call of which showing a reader is at.

    Attributes:
        session: The reader's session, from 1.
        case_id: The case.
        phase: 1, or 2 for the second call on the same showing.
    """

    session: int
    case_id: int
    phase: int


def arm_of(session: Session, study: Study, reader_id: int, turn: Turn) -> Arm:
    """Whether the reader sees the model's output on this turn."""
    plan = plan_of(study)
    if plan.aid is Aid.AFTER_FIRST_CALL:
        return Arm.AIDED if turn.phase > 1 else Arm.UNAIDED
    if plan.aid is Aid.AT_ONCE and turn.case_id in _at_once(session, study)[reader_id, turn.session]:
        return Arm.AIDED
    return Arm.UNAIDED


def aid_shown(session: Session, study: Study, case_id: int) -> AidShown:
    """What the aided reader is told of a case in numbers.

    Raises:
        NotFound: The checkpoint has not predicted the case's image.
    """
    prediction = _prediction(session, study, case_id)
    return AidShown(prediction.prob_hsil_4ch, prediction.threshold_4ch, marks_of(session, prediction.checkpoint_id))


def aid_png(store: Store, session: Session, study: Study, case_id: int, layer: str) -> bytes:
    """A layer over the image, of its size: `mask` (acetowhite epithelium) or `map` (what spoke for HSIL).

    Raises:
        NotFound: There is no such layer, or no prediction of the case.
    """
    prediction = _prediction(session, study, case_id)
    if layer == "mask":
        return mask_png(mask_pixels(session.get_one(Mask, prediction.mask_id)), rgba=rgba(MODEL_MASK, MODEL_MASK_ALPHA))
    if layer != "map":
        raise NotFound(f"There is no layer {layer!r}; there are {', '.join(LAYERS)}.")
    image = session.get_one(Image, prediction.image_id)
    maps = unpack_maps(store.blobs.get(prediction.maps_sha256))
    return map_png(
        maps[MAP],
        height_px=image.height_px,
        width_px=image.width_px,
        brightest=brightest_of_network(maps, MAP),
    )


def require_aided(arm: Arm) -> None:
    """Refuse what is kept back.

    Raises:
        Blinding: The reader is not aided on this case now.
    """
    if arm is not Arm.AIDED:
        raise Blinding("The model's output is kept back until this case is to be read with it.")


def check_aid(store: Store, session: Session, study: Study) -> None:
    """Check that a draft's aid can be given: everything is predicted, and nothing of it was learned from.

    Raises:
        InputRejected: It cannot; the message says what to do.
    """
    plan = plan_of(study)
    if plan.aid is Aid.NONE:
        return
    checkpoint = session.get(Checkpoint, plan.aid_checkpoint_id)
    if checkpoint is None:
        raise InputRejected("The checkpoint that is to aid the readers is not in the registry any more.")
    cases = select(StudyCase.case_id).where(StudyCase.study_id == study.id)
    case_ids = list(session.scalars(cases))
    predicted = session.scalar(
        select(func.count(Prediction.id))
        .join(StudyCase, StudyCase.image_id == Prediction.image_id)
        .where(StudyCase.study_id == study.id, Prediction.checkpoint_id == checkpoint.id)
    )
    missing = len(case_ids) - (predicted or 0)
    if missing:
        raise InputRejected(
            f"{checkpoint.name}, which aids the readers, has not predicted {missing} of the {len(case_ids)} cases. "
            "Predict them first: the button stands beside the checkpoint."
        )
    learned = len(seen_cases(store, session, checkpoint, case_ids))
    if learned:
        raise InputRejected(
            f"{checkpoint.name}, which aids the readers, has learned from {learned} of the {len(case_ids)} cases or "
            "their patients, so that its aid would be better than it is. Choose other cases or another checkpoint."
        )


def _at_once(session: Session, study: Study) -> Mapping[tuple[int, int], frozenset[int]]:
    truth = dict(
        session.execute(select(StudyCase.case_id, StudyCase.truth).where(StudyCase.study_id == study.id)).all()
    )
    added = amended(session, study.id).added
    everybody = session.scalars(select(StudyReader.person_id).where(StudyReader.study_id == study.id)).all()
    readers = [*sorted(set(everybody) - set(added)), *added]
    plan = plan_of(study)
    if plan.crossover:
        return aided_cases(truth, readers, seed=study.seed, n_sessions=plan.n_sessions)
    return aided_sessions(truth, readers, seed=study.seed, n_sessions=plan.n_sessions)


def _prediction(session: Session, study: Study, case_id: int) -> Prediction:
    prediction = session.scalar(
        select(Prediction)
        .join(StudyCase, StudyCase.image_id == Prediction.image_id)
        .where(
            StudyCase.study_id == study.id,
            StudyCase.case_id == case_id,
            Prediction.checkpoint_id == plan_of(study).aid_checkpoint_id,
        )
    )
    if prediction is None:
        raise NotFound("The model's output of this case is missing. Tell an administrator.")
    return prediction
