"""Where a network's evidence lies: the share of a map inside a mask, in the black bars, in the image's rim."""

from collections.abc import Mapping, Sequence
from math import hypot

import cv2
import numpy as np
import numpy.typing as npt

from colpo_core.evaluation.intervals import mean_by_patients, share_by_patients
from colpo_core.records.review.explanations import (
    ClassEvidence,
    EvidenceFigures,
    ImageEvidence,
    ImagePlaces,
    MapInMask,
    MapPlaces,
    PlacesFigures,
)
from colpo_core.records.statistics.figures import Bounds, Estimate, Proportion

NETWORKS = ("3ch", "4ch")
CLASSES = ("normal", "hsil")
# Zhang et al. allow 15 pixels on images of about 500: a map is too coarse to be asked for more.
_NEAR = 0.03
_SIDE_PX = 256
RIM = 0.05
"""How much of an image's height and width is its rim, on each side."""
# Less of a map's evidence in the image than this is rounding.
_NO_EVIDENCE = 1e-9
# Narrower bars come from rounding a side to whole pixels.
_LEAST_BARS = 0.01


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
    by_map = {name: judged.judge(values) for name, values in maps.items()}
    return ImageEvidence(float(mask.mean()), by_map, hit_area=judged.hit_area)


def evidence_figures(
    expert: Sequence[ImageEvidence],
    model: Sequence[ImageEvidence | None],
    patients: Sequence[int],
) -> EvidenceFigures:
    """The same over many images, with paired differences of 4 and 3 channels and intervals by patients.

    Args:
        expert: Of each image with an annotated lesion, its maps beside that mask.
        model: Of the same images, beside the model's own mask; None where that is empty.
        patients: Patient of each image.
    """
    own = [(evidence, patient) for evidence, patient in zip(model, patients, strict=True) if evidence is not None]
    sides = {
        "expert": list(zip(expert, patients, strict=True)),
        "model": own,
    }
    by_side = {side: {label: _of_class(rows, label) for label in CLASSES} for side, rows in sides.items()}
    names = [f"{network}-{label}" for network in NETWORKS for label in CLASSES]
    return EvidenceFigures(
        expert=by_side["expert"],
        model=by_side["model"],
        n_images=len(expert),
        empty={name: sum(evidence.maps.get(name) is None for evidence in expert) for name in names},
    )


def image_places(maps: Mapping[str, npt.NDArray[np.float32]], *, top: float, left: float) -> ImagePlaces:
    """How much of each map lies in the black bars beside the image, and how much in the image's rim.

    A cell that an edge cuts counts by how much of it lies on either side.

    Args:
        maps: By name, h x w from 0, each over the whole box that the image was fitted into.
        top: Height of the bar above the image as a share of the box's height; the one below is as high.
        left: Width of the bar beside the image as a share of the box's width; the one on the right is as wide.
    """
    high, wide = 1 - 2 * top, 1 - 2 * left
    return ImagePlaces(
        padding_area=1 - high * wide,
        rim_area=1 - (1 - 2 * RIM) ** 2,
        maps={name: _places(values.astype(np.float64), top, left) for name, values in maps.items()},
    )


def _places(cells: npt.NDArray[np.float64], top: float, left: float) -> MapPlaces | None:
    total = float(cells.sum())
    if total <= 0:
        return None
    image = _within(cells, top, left)
    inner = _within(cells, top + RIM * (1 - 2 * top), left + RIM * (1 - 2 * left))
    rim = min(1.0, max(0.0, 1 - inner / image)) if image > _NO_EVIDENCE * total else None
    return MapPlaces(padding=min(1.0, max(0.0, 1 - image / total)), rim=rim)


def _within(cells: npt.NDArray[np.float64], top: float, left: float) -> float:
    """Evidence in the rectangle that leaves these shares of height and width on each side."""
    rows, columns = (_covered(count, edge) for count, edge in zip(cells.shape, (top, left), strict=True))
    return float(rows @ cells @ columns)


def _covered(count: int, edge: float) -> npt.NDArray[np.float64]:
    """How much of each of the cells along one side lies between an edge and the one opposite."""
    starts = np.arange(count) / count
    ends = starts + 1 / count
    return np.asarray(np.clip(np.minimum(ends, 1 - edge) - np.maximum(starts, edge), 0, None) * count)


def places_figures(
    network: str,
    lesions: Sequence[ImageEvidence],
    lesion_patients: Sequence[int],
    places: Sequence[ImagePlaces],
    patients: Sequence[int],
) -> PlacesFigures:
    """Where one network's evidence lies, with intervals by patients.

    Args:
        network: Of `NETWORKS`.
        lesions: Of each image with an annotated lesion, its maps beside that mask.
        lesion_patients: Patient of each of these images.
        places: Of every image that was judged.
        patients: Patient of each of these images.
    """

    def mean(rows: Sequence[tuple[float, int]]) -> Estimate:
        return mean_by_patients([row[0] for row in rows], [row[1] for row in rows])

    every = list(zip(places, patients, strict=True))
    barred = [(image, patient) for image, patient in every if image.padding_area >= _LEAST_BARS]

    def shares(rows: Sequence[tuple[ImagePlaces, int]], which: str) -> dict[str, Estimate]:
        return {
            label: mean(
                [
                    (share, patient)
                    for image, patient in rows
                    if (share := getattr(image.maps.get(f"{network}-{label}"), which, None)) is not None
                ]
            )
            for label in CLASSES
        }

    excess = [
        (inside.energy - image.area, patient)
        for image, patient in zip(lesions, lesion_patients, strict=True)
        if (inside := image.maps.get(f"{network}-hsil")) is not None
    ]
    return PlacesFigures(
        lesion_excess=mean(excess),
        padding=shares(barred, "padding"),
        padding_area=mean([(image.padding_area, patient) for image, patient in barred]),
        rim=shares(every, "rim"),
        rim_area=mean([(image.rim_area, patient) for image, patient in every]),
    )


class _Mask:
    """A mask that several maps of one image are held against; it is made smaller once for all of them."""

    def __init__(self, mask: npt.NDArray[np.bool_]) -> None:
        shrink = min(1.0, _SIDE_PX / max(mask.shape))
        self._mask = mask.astype(np.float32)
        self._height, self._width = (max(1, round(side * shrink)) for side in mask.shape)
        outside = (self._sized(self._height, self._width) <= 0).astype(np.uint8)
        distances = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        self._is_near = distances <= _NEAR * hypot(self._height, self._width)
        self._of_size: dict[tuple[int, int], npt.NDArray[np.float32]] = {}

    @property
    def hit_area(self) -> float:
        """Share of the image's places that count as a hit."""
        return float(self._is_near.mean())

    def judge(self, values: npt.NDArray[np.float32]) -> MapInMask | None:
        total = float(values.sum())
        if total <= 0:
            return None
        height, width = values.shape
        if (height, width) not in self._of_size:
            self._of_size[height, width] = self._sized(height, width)
        inside = float((values * self._of_size[height, width]).sum())
        enlarged = cv2.resize(values, (self._width, self._height), interpolation=cv2.INTER_LINEAR)
        return MapInMask(min(1.0, inside / total), bool(self._is_near.flat[int(enlarged.argmax())]))

    def _sized(self, height: int, width: int) -> npt.NDArray[np.float32]:
        return np.asarray(cv2.resize(self._mask, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def _of_class(rows: Sequence[tuple[ImageEvidence, int]], label: str) -> ClassEvidence:
    both = [
        (three, four, image, patient)
        for image, patient in rows
        if (three := image.maps.get(f"3ch-{label}")) is not None
        and (four := image.maps.get(f"4ch-{label}")) is not None
    ]
    patients = [patient for *_, patient in both]

    def mean(values: Sequence[float], within: Bounds = (0.0, 1.0)) -> Estimate:
        return mean_by_patients(values, patients, within=within)

    def share(hits: Sequence[bool]) -> Proportion:
        return share_by_patients([(1.0, float(hit)) for hit in hits], patients)

    return ClassEvidence(
        n_images=len(both),
        n_patients=len(set(patients)),
        energy_3ch=mean([three.energy for three, *_ in both]),
        energy_4ch=mean([four.energy for _, four, *_ in both]),
        energy_difference=mean([four.energy - three.energy for three, four, *_ in both], (-1.0, 1.0)),
        hits_3ch=share([three.is_hit for three, *_ in both]),
        hits_4ch=share([four.is_hit for _, four, *_ in both]),
        hits_difference=mean([float(four.is_hit) - three.is_hit for three, four, *_ in both], (-1.0, 1.0)),
        hits_by_chance=mean([image.hit_area for *_, image, _ in both]),
        area=mean([image.area for *_, image, _ in both]),
    )
