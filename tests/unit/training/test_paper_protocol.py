"""The paper's protocol in its own proportions, and that it leaks where the paper's did."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colpo_core.errors import JobFailed
from colpo_core.terms import Split
from colpo_core.training.paper_protocol import PaperSplits, paper_splits
from tests.support.blobs import blobs


@dataclass(frozen=True)
class Counted:
    """Frames of which only their places are asked."""

    with_mask: list[int]
    with_label: list[int]


def sides(n_masks: int, n_labels: int, *, seed: int = 0) -> PaperSplits:
    return paper_splits(Counted(list(range(n_masks)), list(range(5, 5 + n_labels))), seed=seed)  # type: ignore[arg-type]


def test_as_many_images_as_the_papers_give_its_numbers() -> None:
    found = sides(150, 3699)
    assert [len(one) for one in (found.masks_train, found.masks_validation, found.masks_test)] == [630, 270, 50]
    assert [len(one) for one in (found.labels_train, found.labels_validation, found.labels_test)] == [14000, 5400, 600]
    assert len(found.masks_train.members) == 100
    assert found.masks_test.copies is None


def test_more_images_than_the_papers_are_not_augmented_to_more() -> None:
    found = sides(1000, 30_000)
    assert len(found.masks_train) + len(found.masks_validation) == 900
    assert len(found.masks_test) == 50
    assert len(found.labels_train) == 14_000


@given(st.integers(3, 300), st.integers(2, 500), st.integers(-3, 3))
def test_fewer_images_keep_the_proportions(n_masks: int, n_labels: int, seed: int) -> None:
    found = sides(n_masks, n_labels, seed=seed)
    learned = found.masks_train.members
    assert len(found.masks_test) == min(50, n_masks // 3)
    assert len(learned) == min(100, n_masks - len(found.masks_test))
    assert not set(learned) & set(found.masks_test.members)
    _check_copies([found.masks_train, found.masks_validation], 9 * len(learned), (0.7, 0.3))
    total = round(20_000 * n_labels / 3699)
    labels = [found.labels_train, found.labels_validation, found.labels_test]
    _check_copies(labels, total, (0.7, 0.27, 0.03))
    assert all(one.members == tuple(range(5, 5 + n_labels)) for one in labels)
    assert found == sides(n_masks, n_labels, seed=seed)
    assert found != sides(n_masks, n_labels, seed=seed + 1)


def _check_copies(sets: list, total: int, shares: tuple[float, ...]) -> None:
    """No copy stands in two sets and none is left out; each set has its share, and one copy at least."""
    assert sorted(copy for one in sets for copy in one.copies) == list(range(total))
    for one, share in zip(sets, shares, strict=True):
        assert abs(len(one) - share * total) <= 1
        assert len(one) >= 1
    shown = Counter(frame for one in sets for frame in one.shown)
    assert max(shown.values()) - min(shown.values()) <= 1


def test_the_same_photograph_stands_on_both_sides(tmp_path: Path) -> None:
    frames = blobs((6, 3, 3), images_each=2).frames(tmp_path)
    found = paper_splits(frames, seed=0)
    learned, tested = set(found.labels_train.shown), set(found.labels_test.shown)
    assert tested
    assert tested <= learned
    assert {frames.items[place].split for place in learned} == set(Split)
    assert not set(found.labels_train.copies or ()) & set(found.labels_test.copies or ())
    of_learned = {frames.items[place].patient_id for place in found.masks_train.members}
    of_tested = {frames.items[place].patient_id for place in found.masks_test.members}
    assert of_learned & of_tested


def test_two_masks_are_too_few() -> None:
    with pytest.raises(JobFailed, match="at least three images with a mask"):
        sides(2, 100)
