"""What people reach among themselves, beside a model: the ceiling of what its masks can be asked for."""

from collections.abc import Iterable, Mapping
from typing import Any

from colpo_core.evaluation.agreement import mean_over_patients
from colpo_core.records.agreement import HumanCeiling
from colpo_core.records.statistics.figures import Bounds, Estimate
from colpo_core.services.agreement.overview import image_figures
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.models.registry import read_checkpoint

_KAPPA = (-1.0, 1.0)
_Rows = Iterable[tuple[int, float | None]]


@allowed(CLINICIANS)
def human_ceiling(caller: Caller, *, checkpoint_id: int) -> HumanCeiling:
    """A checkpoint's Dice and kappa beside this clinic's own inter-annotator values.

    Only masks that the caller may see take part. A checkpoint of an older version kept no figures by image; then the
    model's are not known.

    Raises:
        NotFound: There is no such checkpoint.
    """
    card = read_checkpoint(caller.store, checkpoint_id).card
    people = image_figures(caller)
    model = _by_image(card.get("metrics", {}).get("segmentation", {}))
    shared = sorted(people.keys() & model.keys())
    return HumanCeiling(
        model_dice=_mean((people[image_id][0], model[image_id][0]) for image_id in shared),
        model_kappa=_mean(((people[image_id][0], model[image_id][1]) for image_id in shared), _KAPPA),
        annotators_dice=_mean((people[image_id][0], people[image_id][1]) for image_id in shared),
        annotators_kappa=_mean(((people[image_id][0], people[image_id][2]) for image_id in shared), _KAPPA),
        all_annotators_dice=_mean((patient_id, dice) for patient_id, dice, _ in people.values()),
        all_annotators_kappa=_mean(((patient_id, kappa) for patient_id, _, kappa in people.values()), _KAPPA),
        n_images_shared=len(shared),
        n_images_all=len(people),
    )


def _by_image(block: Mapping[str, Any]) -> dict[int, tuple[float | None, float | None]]:
    """Dice and kappa of each test image with annotated acetowhite epithelium."""
    return {
        row["image_id"]: (row["figures"]["dice"], row["figures"]["kappa"])
        for row in block.get("by_image", ())
        if row["figures"]["dice"] is not None
    }


def _mean(rows: _Rows, within: Bounds = (0.0, 1.0)) -> Estimate:
    known = [(patient_id, value) for patient_id, value in rows if value is not None]
    return mean_over_patients(
        tuple(value for _, value in known), tuple(patient_id for patient_id, _ in known), within=within
    )
