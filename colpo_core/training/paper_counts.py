"""How many copies the protocol of Kim et al. 2022 makes of a snapshot's images: the paper's numbers, in proportion.

Source: Kim et al. 2022, "Construction of datasets and data preprocessing" and Fig. 1.
"""

from dataclasses import dataclass

PAPER_IMAGES = 3699
PAPER_COPIES = 20_000
PAPER_SHARES = (0.70, 0.27, 0.03)
PAPER_MASKS = 100
PAPER_TEST_MASKS = 50
FEWEST_MASKS = 3  # of which one tests: the paper's own proportion
COPIES_A_MASK = 9
MASK_SHARES = (0.70, 0.30)


@dataclass(frozen=True)
class PaperCounts:
    """How much there is of what.

    Attributes:
        masks_learned: Images with a mask whose copies train and validate the segmenter.
        masks_tested: Other images with a mask, which test it.
        mask_copies: Copies of the former.
        label_copies: Copies of the images with a label.
    """

    masks_learned: int
    masks_tested: int
    mask_copies: int
    label_copies: int


def paper_counts(n_masks: int, n_labels: int) -> PaperCounts:
    """The numbers for a snapshot; fewer images than the paper's are taken in the same proportions.

    Args:
        n_masks: Images with a mask, on all sides.
        n_labels: Images with a label, on all sides.
    """
    tested = min(PAPER_TEST_MASKS, n_masks // FEWEST_MASKS)
    learned = min(PAPER_MASKS, n_masks - tested)
    copies = round(PAPER_COPIES * min(1.0, n_labels / PAPER_IMAGES))
    return PaperCounts(learned, tested, COPIES_A_MASK * learned, copies)
