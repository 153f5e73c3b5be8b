from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colpo_core.datasets.frames import ACETOWHITE, Frames
from colpo_core.images.letterbox import fit_into
from colpo_core.records.training.stages import ARMS, EMPTY, EXPERT, PREDICTED, SHUFFLED, THREE
from colpo_core.terms import Split
from colpo_core.training.fourth_channel_controls import FourthChannelControls, shuffled_partners
from tests.support.blobs import Blobs, blobs
from tests.support.manifests import without_mask


@pytest.fixture(scope="module")
def some() -> Blobs:
    return blobs((5, 3, 2), images_each=2)


@pytest.fixture(scope="module")
def frames(some: Blobs, tmp_path_factory: pytest.TempPathFactory) -> Frames:
    return some.frames(tmp_path_factory.mktemp("frames"))


@pytest.fixture(scope="module")
def predicted(frames: Frames) -> npt.NDArray[np.uint8]:
    """A channel that tells whose it is."""
    numbers = np.arange(len(frames), dtype=np.uint8)[:, None, None]
    return np.broadcast_to(numbers + 1, frames.target.shape).copy()


def test_every_arm_shows_what_it_is_called_by(frames: Frames, predicted: npt.NDArray[np.uint8]) -> None:
    channels = FourthChannelControls(frames, predicted, seed=0)
    assert channels.of(THREE) is None
    shown = {arm: channels.of(arm) for arm in ARMS if arm != THREE}
    foreign = shuffled_partners(frames, seed=0)
    for place in range(len(frames)):
        seen = {arm: channel(place) for arm, channel in shown.items() if channel is not None}
        assert (seen[PREDICTED] == place + 1).all()
        assert not seen[EMPTY].any()
        assert np.array_equal(seen[EXPERT], 255 * (frames.target[place] == ACETOWHITE).astype(np.uint8))
        assert seen[EXPERT].any()
        assert (seen[SHUFFLED] == foreign[place] + 1).all()
        assert {values.dtype for values in seen.values()} == {np.dtype(np.uint8)}


def test_the_expert_who_has_not_annotated_does_not_say_no_lesion(
    frames: Frames, predicted: npt.NDArray[np.uint8]
) -> None:
    bare = replace(frames, items=(without_mask(frames.items[0]), *frames.items[1:]))
    expert = FourthChannelControls(bare, predicted, seed=0).of(EXPERT)
    assert np.array_equal(expert(0), predicted[0])
    assert np.array_equal(np.unique(expert(1)), [0, 255])


def test_an_arm_that_is_none_is_refused(frames: Frames, predicted: npt.NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="the arm must be one of"):
        FourthChannelControls(frames, predicted, seed=0).of("4ch")


def bare_frames(patients: Sequence[tuple[int, Split]]) -> Frames:
    """Frames of one pixel, whose patients and sides alone matter."""
    (item, *_) = blobs((1, 0, 0)).manifest.items
    items = tuple(replace(item, patient_id=patient, split=split) for patient, split in patients)
    box = fit_into(image_height_px=1, image_width_px=1, box_height_px=1, box_width_px=1)
    pixels = np.zeros((len(items), 1, 1, 3), np.uint8)
    return Frames(items, pixels, pixels[..., 0], (box,) * len(items), ("0" * 64,) * len(items))


@given(st.lists(st.tuples(st.integers(1, 6), st.sampled_from(list(Split))), max_size=25), st.integers(-3, 100))
def test_strangers_are_other_patients_of_the_same_side_and_everybody_is_one_once(
    rows: list[tuple[int, Split]], seed: int
) -> None:
    # A patient stands on one side alone.
    frames = bare_frames([(patient * 10 + list(Split).index(split), split) for patient, split in rows])
    found = shuffled_partners(frames, seed=seed)
    assert found == shuffled_partners(frames, seed=seed)
    for split in Split:
        places = frames.of(split)
        patients = {frames.items[place].patient_id for place in places}
        if len(patients) < 2:
            assert [found[place] for place in places] == [None] * len(places)
            continue
        given_to: dict[int, set[int]] = {}
        for place in places:
            giver, taker = frames.items[found[place]], frames.items[place]
            assert giver.split is split
            assert giver.patient_id != taker.patient_id
            given_to.setdefault(giver.patient_id, set()).add(taker.patient_id)
        assert set(given_to) == patients
        assert all(len(takers) == 1 for takers in given_to.values())


def test_another_seed_draws_other_strangers() -> None:
    frames = bare_frames([(patient, Split.TRAIN) for patient in range(30)])
    assert len({tuple(shuffled_partners(frames, seed=seed)) for seed in (-1, 0, 1, 2)}) == 4


def test_where_nobody_else_is_the_shuffled_channel_is_empty(tmp_path: Path) -> None:
    frames = blobs((2, 1, 0)).frames(tmp_path)
    shuffled = FourthChannelControls(frames, np.full(frames.target.shape, 7, np.uint8), seed=0).of(SHUFFLED)
    (alone,) = frames.of(Split.VALIDATION)
    assert not shuffled(alone).any()
    assert (shuffled(0) == 7).all()
