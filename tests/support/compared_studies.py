"""A study of four cases, two readers, and a checkpoint that has learned from the first of them."""

from dataclasses import dataclass

from colpo_core.services.common.callers import Caller
from colpo_core.services.studies import presenting, readings
from colpo_core.store import Store
from colpo_core.store.tables import Mask, Prediction, Presentation
from colpo_core.terms import Label


@dataclass(frozen=True)
class Clinic:
    """Four cases, a checkpoint trained on the first, and a snapshot whose test split is the last two."""

    case_ids: tuple[int, ...]
    image_ids: tuple[int, ...]
    checkpoint_id: int
    snapshot_id: int


def predict(store: Store, clinic: Clinic, probs: dict[int, tuple[float, float]]) -> None:
    with store.writing() as session:
        mask = Mask(sha256="d" * 64, width_px=32, height_px=24, area_px=0, rle=b"")
        session.add(mask)
        session.flush()
        for index, (three, four) in probs.items():
            session.add(
                Prediction(
                    image_id=clinic.image_ids[index],
                    checkpoint_id=clinic.checkpoint_id,
                    prob_hsil_3ch=three,
                    prob_hsil_4ch=four,
                    threshold_3ch=0.5,
                    threshold_4ch=0.25,
                    acetowhite_fraction=0.1,
                    mask_id=mask.id,
                    maps_sha256="e" * 64,
                )
            )


def read_all(caller: Caller, study_id: int, calls: dict[int, Label]) -> None:
    while (shown := presenting.next_case(caller, study_id=study_id)) is not None:
        with caller.store.reading() as session:
            case_id = session.get_one(Presentation, shown.token).case_id
        readings.record_reading(caller, study_id=study_id, token=shown.token, call=calls[case_id], confidence=60)
