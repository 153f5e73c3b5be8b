"""Asking about masks that look like something that was not meant."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from colpo_core.errors import MaskDoubted
from colpo_core.images.mask_shapes import doubt_of
from colpo_core.terms import Finding, MaskDoubt

NAMES = {
    Finding.ACETOWHITE: "acetowhite epithelium",
    Finding.MOSAIC: "mosaic",
    Finding.PUNCTATION: "punctation",
    Finding.ATYPICAL_VESSELS: "atypical vessels",
    Finding.SQUAMOCOLUMNAR_JUNCTION: "squamocolumnar junction",
    Finding.CERVIX: "cervix",
}
# What is a line or a net of fine vessels is thin by its nature, and the cervix fills the image.
_THIN = {Finding.SQUAMOCOLUMNAR_JUNCTION, Finding.PUNCTATION, Finding.ATYPICAL_VESSELS, Finding.MOSAIC}


def find_doubt(mask: NDArray[np.bool_], finding: Finding) -> MaskDoubt | None:
    """What a mask of a finding looks like that was perhaps not meant, or None."""
    return doubt_of(mask, is_line=finding in _THIN, is_large=finding is Finding.CERVIX)


def doubt_text(doubt: MaskDoubt, *, share: float, finding: Finding) -> str:
    """What is odd about a mask, in a sentence, and what it may mean.

    Args:
        doubt: What it looks like.
        share: How much of the image it marks, 0 to 1.
        finding: What it shows.
    """
    name = NAMES[finding]
    return {
        MaskDoubt.EMPTY: f"The mask marks nothing. Is there no {name} on this image, or is it not painted yet?",
        MaskDoubt.OUTLINE: (
            f"The mask marks {share:.1%} of the image and is as thin as a drawn line. Is it an outline that should be "
            "filled?"
        ),
        MaskDoubt.INVERTED: (
            f"The mask marks {share:.0%} of the image, all along its edge, and leaves the middle out. Is it inside out?"
        ),
        MaskDoubt.LARGE: f"The mask marks {share:.0%} of the image. Is so much of it {name}?",
    }[doubt]


def ask_about(mask: NDArray[np.bool_], finding: Finding, *, sure: Collection[MaskDoubt]) -> None:
    """Ask about a mask before it becomes a version.

    Args:
        mask: H x W bool.
        finding: What it shows.
        sure: What it may look like, since a person has said that it is right.

    Raises:
        MaskDoubted: It looks like something else that was perhaps not meant.
    """
    doubt = find_doubt(mask, finding)
    if doubt is not None and doubt not in sure:
        raise MaskDoubted(doubt_text(doubt, share=float(mask.mean()), finding=finding), doubt)
