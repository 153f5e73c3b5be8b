"""How two annotators' masks of one image agree."""

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from colpo_core.evaluation.agreement import pair_figures
from colpo_core.records.agreement import PairFigures
from colpo_core.services.annotations.submitted_masks import AnnotatorMask
from colpo_core.services.common.cache import LruCache
from colpo_core.services.common.mask_rows import mask_pixels
from colpo_core.store.tables import Mask

# Comparing two masks of a large image takes a tenth of a second, and a page asks at every click.
_FIGURES: LruCache[tuple[int, int, str, str], PairFigures] = LruCache(100_000)


_Compared = tuple[AnnotatorMask, AnnotatorMask, PairFigures]


def compare_masks(session: Session, masks: Sequence[AnnotatorMask]) -> Iterable[_Compared]:
    """Each two masks of one image and size; pixels are read only of what was not compared before."""
    pixels: dict[int, NDArray[np.bool_]] = {}

    def pixels_of(mask: AnnotatorMask) -> NDArray[np.bool_]:
        if mask.mask_id not in pixels:
            pixels[mask.mask_id] = mask_pixels(session.get_one(Mask, mask.mask_id))
        return pixels[mask.mask_id]

    def figures_of(first: AnnotatorMask, second: AnnotatorMask) -> PairFigures:
        return pair_figures(pixels_of(first), pixels_of(second))

    for first, second in combinations(masks, 2):
        if (first.width_px, first.height_px) != (second.width_px, second.height_px):
            continue
        first_mask, other = sorted((first, second), key=lambda mask: mask.sha256)
        key = (first.width_px, first.height_px, first_mask.sha256, other.sha256)
        yield first, second, _FIGURES.find(key, partial(figures_of, first_mask, other))
