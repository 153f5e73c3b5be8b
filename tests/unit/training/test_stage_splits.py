from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colpo_core.datasets.frames import Frames
from colpo_core.errors import JobFailed
from colpo_core.terms import Label, Split
from colpo_core.training.stage_splits import images_of_split, training_folds
from tests.support.blobs import blobs
from tests.support.manifests import without_mask


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Frames:
    return blobs((12, 3, 3), images_each=2).frames(tmp_path_factory.mktemp("frames"))


def patients_of(frames: Frames, fold: tuple[int, ...]) -> set[int]:
    return {frames.items[place].patient_id for place in fold}


def test_a_side_has_those_with_a_mask_and_those_with_a_label(tmp_path: Path) -> None:
    frames = blobs((4, 2, 0), labels=[Label.NORMAL, None]).frames(tmp_path)
    frames = replace(frames, items=(without_mask(frames.items[0]), *frames.items[1:]))
    side = images_of_split(frames, Split.TRAIN)
    assert side.masks.members == (1, 2, 3)
    assert side.labels.members == (0, 2)
    assert images_of_split(frames, Split.VALIDATION).masks.members == (4, 5)
    assert not len(images_of_split(frames, Split.TEST).labels)


@given(folds=st.integers(2, 6), seed=st.integers(-5, 1000))
def test_folds_part_the_training_side_by_patient_and_balance_labels(frames: Frames, folds: int, seed: int) -> None:
    found = training_folds(frames, folds=folds, seed=seed)
    assert len(found) == folds
    assert sorted(place for fold in found for place in fold) == frames.of(Split.TRAIN)
    patients = [patients_of(frames, fold) for fold in found]
    assert sum(map(len, patients)) == len(set().union(*patients)) == 12
    for fold in found:
        labels = Counter(frames.items[place].label for place in fold)
        assert abs(labels[Label.HSIL] - labels[Label.NORMAL]) <= 2
    assert found == training_folds(frames, folds=folds, seed=seed)


@given(seed=st.integers(0, 1000))
def test_patients_who_share_a_file_or_a_near_copy_share_a_fold(frames: Frames, seed: int) -> None:
    items, prints = list(frames.items), list(frames.fingerprints)
    items[2] = replace(items[2], image_sha256=items[0].image_sha256)  # patients 1 and 2: one file
    prints[4] = f"{int(prints[6], 16) ^ 1:064x}"  # patients 3 and 4: one bit differs
    kin = replace(frames, items=tuple(items), fingerprints=tuple(prints))
    for fold in training_folds(kin, folds=3, seed=seed):
        inside = patients_of(kin, fold)
        assert (1 in inside) == (2 in inside)
        assert (3 in inside) == (4 in inside)


def test_other_seeds_draw_other_folds(frames: Frames) -> None:
    assert len({tuple(training_folds(frames, folds=2, seed=seed)) for seed in range(6)}) > 2


def test_too_few_patients_are_counted(tmp_path: Path) -> None:
    frames = blobs((2, 1, 0)).frames(tmp_path)
    with pytest.raises(JobFailed, match=r"at least 3 patients on the training side, and there are 2.*fewer folds"):
        training_folds(frames, folds=3, seed=0)


def test_masks_of_one_patient_alone_are_refused(frames: Frames) -> None:
    one, two = (
        tuple(item if item.patient_id in masked else without_mask(item) for item in frames.items)
        for masked in ({1}, {1, 2})
    )
    with pytest.raises(JobFailed, match=r"one group of patients.*at least two patients"):
        training_folds(replace(frames, items=one), folds=2, seed=0)
    # One of two: each fold leaves the other's, or both lie in one fold, and then it says so.
    masked = {place for place in frames.of(Split.TRAIN) if two[place].mask_sha256}
    for seed in range(6):
        try:
            found = training_folds(replace(frames, items=two), folds=2, seed=seed)
        except JobFailed:
            continue
        assert all(masked - set(fold) for fold in found)


def test_two_patients_with_a_mask_never_share_a_fold(tmp_path: Path) -> None:
    """Of different labels each is alone in her stratum; put into one fold they would leave nothing to learn from."""
    some = blobs((8, 1, 1))
    first, second, *others = some.manifest.items
    items = (first, second, *(without_mask(one) if one.split is Split.TRAIN else one for one in others))
    frames = replace(some, manifest=replace(some.manifest, items=items)).frames(tmp_path)
    for seed in range(6):
        folds = training_folds(frames, folds=2, seed=seed)
        masked = [sum(frames.items[place].mask_sha256 is not None for place in places) for places in folds]
        assert masked == [1, 1]
