"""How often a mask that is an unfilled outline is asked about, and how often a filled one is, on AnnoCerv's outlines.

    python -m benchmarks.mask_shapes path/to/annocerv/dataset

Every drawn outline is held beside the region that it encloses (outlines that nothing could close are left out of the
regions), as it was drawn and with a pen of two and of three times the width, and inside out. One Markdown table is
printed.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.shared import print_heading, print_row
from colpo_core.exchange.annocerv import read_annocerv
from colpo_core.images.decoding import decode_image
from colpo_core.images.mask_shapes import doubt_of
from colpo_core.images.outlines import fill_outline
from colpo_core.terms import MaskDoubt, MaskOrigin

Mask = NDArray[np.bool_]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--names", action="store_true", help="also print each mask that was judged wrongly")
    asked = parser.parse_args()
    outlines, regions = _masks(asked.dataset)
    sets = {
        "outlines as drawn": (outlines, MaskDoubt.OUTLINE),
        "outlines with a pen twice as wide": (_changed(outlines, lambda mask: _wider(mask, 2)), MaskDoubt.OUTLINE),
        "outlines with a pen three times as wide": (
            _changed(outlines, lambda mask: _wider(mask, 3)),
            MaskDoubt.OUTLINE,
        ),
        "the regions that they enclose": (regions, None),
        "the regions inside out": (_changed(regions, np.logical_not), MaskDoubt.INVERTED),
    }
    asked_as = ("asked about as an outline", "as inside out", "as large", "not asked")
    print_heading("masks", "number", "median area", *asked_as)
    for name, (masks, right) in sets.items():
        doubts = {image: doubt_of(mask) for image, mask in masks.items()}
        counts = [sum(doubt is kind for doubt in doubts.values())
                  for kind in (MaskDoubt.OUTLINE, MaskDoubt.INVERTED, MaskDoubt.LARGE, None)]  # fmt: skip
        share = np.median([mask.mean() for mask in masks.values()])
        print_row(name, len(masks), f"{share:.1%}", *counts)
        wrong = {image: doubt for image, doubt in doubts.items() if doubt is not right and asked.names}
        for image, doubt in wrong.items():
            print(f"  {image}: {doubt} at {masks[image].mean():.2%}")


def _masks(dataset: Path) -> tuple[dict[str, Mask], dict[str, Mask]]:
    outlines, regions = {}, {}
    for case in read_annocerv(dataset):
        for image in case.images:
            outline = image.outline
            if outline is None or not outline.any():
                continue
            rgb = decode_image(image.load()).rgb
            if outline.shape != rgb.shape[:2]:
                continue
            outlines[f"{case.patient_code} {image.name}"] = outline
            filled = fill_outline(outline, rgb)
            if filled.origin not in (MaskOrigin.OPEN, MaskOrigin.PARTIAL):
                regions[f"{case.patient_code} {image.name}"] = filled.mask
    return outlines, regions


def _changed(masks: dict[str, Mask], change: Callable[[Mask], Mask]) -> dict[str, Mask]:
    return {name: change(mask) for name, mask in masks.items()}


def _wider(mask: Mask, times: int) -> Mask:
    width = 2 * cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5).max()
    side = max(3, round(width * (times - 1)) // 2 * 2 + 1)
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8)) > 0)


if __name__ == "__main__":
    main()
