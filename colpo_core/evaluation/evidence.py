"""Whether a network's evidence lies where the lesion is: the share of a map inside a mask, and its highest place."""

from collections.abc import Mapping, Sequence
from math import hypot

import cv2
import numpy as np
import numpy.typing as npt

from colpo_core.evaluation.intervals import RESAMPLES, mean_by_patients, share_by_patients
from colpo_core.records.explanations import ClassEvidence, EvidenceFigures, ImageEvidence, MapInMask
from colpo_core.records.figures import Bounds, Estimate, Proportion

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
    judged = _Mask(mask)
    return ImageEvidence(float(mask.mean()), {name: judged.judge(values) for name, values in maps.items()})


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


class _Mask:
    """A mask that several maps of one image are held against; it is made smaller once for all of them."""

    def __init__(self, mask: npt.NDArray[np.bool_]) -> None:
        shrink = min(1.0, _SIDE_PX / max(mask.shape))
        self._mask = mask.astype(np.float32)
        self._height, self._width = (max(1, round(side * shrink)) for side in mask.shape)
        self._rows, self._columns = np.nonzero(self._sized(self._height, self._width) > 0)
        self._near_px = _NEAR * hypot(self._height, self._width)
        self._of_size: dict[tuple[int, int], npt.NDArray[np.float32]] = {}

    def judge(self, values: npt.NDArray[np.float32]) -> MapInMask | None:
        total = float(values.sum())
        if total <= 0:
            return None
        height, width = values.shape
        if (height, width) not in self._of_size:
            self._of_size[height, width] = self._sized(height, width)
        inside = float((values * self._of_size[height, width]).sum())
        return MapInMask(min(1.0, inside / total), self._is_hit(values))

    def _is_hit(self, values: npt.NDArray[np.float32]) -> bool:
        enlarged = cv2.resize(values, (self._width, self._height), interpolation=cv2.INTER_LINEAR)
        row, column = np.unravel_index(int(enlarged.argmax()), enlarged.shape)
        return bool(np.hypot(self._rows - row, self._columns - column).min() <= self._near_px)

    def _sized(self, height: int, width: int) -> npt.NDArray[np.float32]:
        return np.asarray(cv2.resize(self._mask, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def _of_class(rows: Sequence[tuple[ImageEvidence, int]], label: str, *, seed: int, resamples: int) -> ClassEvidence:
    both = [
        (three, four, one.area, patient)
        for one, patient in rows
        if (three := one.maps.get(f"3ch-{label}")) is not None and (four := one.maps.get(f"4ch-{label}")) is not None
    ]
    patients = [patient for *_, patient in both]

    def mean(values: Sequence[float], within: Bounds = (0.0, 1.0)) -> Estimate:
        return mean_by_patients(values, patients, within=within, seed=seed, n=resamples)

    def share(hits: Sequence[bool]) -> Proportion:
        return share_by_patients([(1.0, float(hit)) for hit in hits], patients, seed=seed, n=resamples)

    return ClassEvidence(
        n_images=len(both),
        n_patients=len(set(patients)),
        energy_3ch=mean([three.energy for three, *_ in both]),
        energy_4ch=mean([four.energy for _, four, *_ in both]),
        energy_difference=mean([four.energy - three.energy for three, four, *_ in both], (-1.0, 1.0)),
        hits_3ch=share([three.is_hit for three, *_ in both]),
        hits_4ch=share([four.is_hit for _, four, *_ in both]),
        hits_difference=mean([float(four.is_hit) - three.is_hit for three, four, *_ in both], (-1.0, 1.0)),
        area=mean([area for *_, area, _ in both]),
    )
