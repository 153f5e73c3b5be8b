"""Whether a network's evidence lies where the lesion is: the share of a map inside a mask, and its highest place."""

from collections.abc import Mapping, Sequence
from math import hypot

import cv2
import numpy as np
import numpy.typing as npt

from colpo_core.evaluation.intervals import RESAMPLES, mean_by_patients, share_by_patients
from colpo_core.records.explanations import ClassEvidence, EvidenceFigures, ImageEvidence, MapInMask
from colpo_core.records.figures import Estimate, Proportion

NETWORKS = ("3ch", "4ch")
CLASSES = ("normal", "hsil")
# Zhang et al. allow 15 pixels on images of about 500: a map is too coarse to be asked for more.
_NEAR = 0.03
_SIDE_PX = 256


def image_evidence(maps: Mapping[str, npt.NDArray[np.float32]], mask: npt.NDArray[np.bool_]) -> ImageEvidence | None:
    """Every map of one image beside one of its masks; None where the mask is empty.

    Args:
        maps: By name, h x w from 0, each over exactly the image; any size.
        mask: H x W of the image.

    Source: Wang et al. 2020, "Score-CAM", for the share of energy inside (energy-based pointing game); Zhang et al.
        2018, "Top-down neural attention by excitation backprop", for the pointing game. A hit is a highest place that
        lies no further from the mask than 3% of the image's diagonal.
    """
    if not mask.any():
        return None
    return ImageEvidence(float(mask.mean()), {name: _in_mask(values, mask) for name, values in maps.items()})


def evidence_figures(
    expert: Sequence[ImageEvidence],
    model: Sequence[ImageEvidence | None],
    patients: Sequence[int],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> EvidenceFigures:
    """The same over many images, with paired differences of 4 and 3 channels and intervals by patients.

    Args:
        expert: Of each image with an annotated lesion, its maps beside that mask.
        model: Of the same images, beside the model's own mask; None where that is empty.
        patients: Patient of each image.
        seed: Seed of the bootstraps.
        resamples: How many resamples they draw.
    """
    own = [(one, patient) for one, patient in zip(model, patients, strict=True) if one is not None]
    sides = {
        "expert": list(zip(expert, patients, strict=True)),
        "model": own,
    }
    found = {
        side: {label: _of_class(rows, label, seed=seed, resamples=resamples) for label in CLASSES}
        for side, rows in sides.items()
    }
    names = [f"{network}-{label}" for network in NETWORKS for label in CLASSES]
    return EvidenceFigures(
        expert=found["expert"],
        model=found["model"],
        n_images=len(expert),
        empty={name: sum(one.maps.get(name) is None for one in expert) for name in names},
    )


def _in_mask(values: npt.NDArray[np.float32], mask: npt.NDArray[np.bool_]) -> MapInMask | None:
    total = float(values.sum())
    if total <= 0:
        return None
    height, width = values.shape
    covered = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    return MapInMask(min(1.0, float((values * covered).sum()) / total), _points_at(values, mask))


def _points_at(values: npt.NDArray[np.float32], mask: npt.NDArray[np.bool_]) -> bool:
    shrink = min(1.0, _SIDE_PX / max(mask.shape))
    height, width = (max(1, round(side * shrink)) for side in mask.shape)
    enlarged = cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR)
    row, column = np.unravel_index(int(enlarged.argmax()), enlarged.shape)
    covered = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    rows, columns = np.nonzero(covered > 0)
    return bool(np.hypot(rows - row, columns - column).min() <= _NEAR * hypot(height, width))


def _of_class(rows: Sequence[tuple[ImageEvidence, int]], label: str, *, seed: int, resamples: int) -> ClassEvidence:
    both = [
        (three, four, one.area, patient)
        for one, patient in rows
        if (three := one.maps.get(f"3ch-{label}")) is not None and (four := one.maps.get(f"4ch-{label}")) is not None
    ]
    patients = [patient for *_, patient in both]

    def mean(values: Sequence[float]) -> Estimate:
        return mean_by_patients(values, patients, seed=seed, n=resamples)

    def share(hits: Sequence[bool]) -> Proportion:
        return share_by_patients([(1.0, float(hit)) for hit in hits], patients, seed=seed, n=resamples)

    return ClassEvidence(
        n_images=len(both),
        n_patients=len(set(patients)),
        energy_3ch=mean([three.energy for three, *_ in both]),
        energy_4ch=mean([four.energy for _, four, *_ in both]),
        energy_difference=mean([four.energy - three.energy for three, four, *_ in both]),
        hits_3ch=share([three.is_hit for three, *_ in both]),
        hits_4ch=share([four.is_hit for _, four, *_ in both]),
        hits_difference=mean([float(four.is_hit) - three.is_hit for three, four, *_ in both]),
        area=mean([area for *_, area, _ in both]),
    )
