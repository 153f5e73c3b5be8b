from hypothesis import given
from hypothesis import strategies as st

from colpo_core.training.paper_counts import PAPER_COPIES, paper_counts


def test_the_papers_own_numbers() -> None:
    found = paper_counts(150, 3699)
    assert (found.masks_learned, found.masks_tested, found.mask_copies, found.label_copies) == (100, 50, 900, 20_000)


@given(st.integers(3, 500), st.integers(0, 10_000))
def test_no_mask_is_learned_and_tested(n_masks: int, n_labels: int) -> None:
    found = paper_counts(n_masks, n_labels)
    assert found.masks_learned >= 1
    assert found.masks_tested >= 1
    assert found.masks_learned + found.masks_tested <= n_masks
    assert 0 <= found.label_copies <= PAPER_COPIES
