import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from colpo_core.datasets.frames import Frames, load_frames
from colpo_core.datasets.tensors import augmented_batch, chunks, epoch_order, plain_batch, to_images
from colpo_core.terms import Split
from tests.blobs import blobs


@pytest.fixture(scope="module")
def frames() -> Frames:
    few = blobs((5, 1, 1))
    return load_frames(
        few.manifest.of(Split.TRAIN),
        height_px=64,
        width_px=64,
        load_image=few.load_image,
        load_mask=few.load_mask,
    )


@given(count=st.integers(1, 60), batch_size=st.integers(2, 16), seed=st.integers(-3, 99), epoch=st.integers(0, 50))
def test_batches_are_full_and_no_image_comes_twice(count: int, batch_size: int, seed: int, epoch: int) -> None:
    order = epoch_order(count, batch_size=batch_size, seed=seed, epoch=epoch)
    places = [place for batch in order for place in batch]
    assert len(places) == len(set(places))
    assert {len(batch) for batch in order} == {min(batch_size, max(count, 2))}
    assert len(order) == max(1, count // batch_size)
    assert order == epoch_order(count, batch_size=batch_size, seed=seed, epoch=epoch)


def test_each_epoch_has_its_own_order_and_drops_other_images() -> None:
    orders = [epoch_order(10, batch_size=4, seed=0, epoch=epoch) for epoch in range(20)]
    assert len({str(order) for order in orders}) == 20
    assert {place for order in orders for batch in order for place in batch} == set(range(10))


def test_a_single_image_is_taken_twice(frames: Frames) -> None:
    (places,) = epoch_order(1, batch_size=8, seed=0, epoch=0)
    batch = augmented_batch(frames, places, seed=0, epoch=0, members=[3])
    assert batch.images.shape == (2, 3, 64, 64)
    assert not torch.equal(batch.images[0], batch.images[1])


@pytest.mark.parametrize(("count", "batch_size"), [(0, 4), (4, 1)])
def test_no_image_or_a_batch_of_one_is_refused(count: int, batch_size: int) -> None:
    with pytest.raises(ValueError, match="batches"):
        epoch_order(count, batch_size=batch_size, seed=0, epoch=0)


def test_three_and_four_channels_get_the_same_colours(frames: Frames) -> None:
    acetowhite = np.random.default_rng(0).integers(0, 256, frames.target.shape, dtype=np.uint8)
    three = augmented_batch(frames, [2, 0], seed=7, epoch=3, members=range(5))
    four = augmented_batch(frames, [2, 0], seed=7, epoch=3, members=range(5), acetowhite=acetowhite)
    assert four.images.shape == (2, 4, 64, 64)
    assert torch.equal(three.images, four.images[:, :3])
    assert torch.equal(three.target, four.target)


def test_the_fourth_channel_lies_over_the_mask(frames: Frames) -> None:
    drawn = (frames.target == 1).astype(np.uint8) * 255
    batch = augmented_batch(frames, list(range(5)), seed=7, epoch=3, members=range(5), acetowhite=drawn)
    said, target = batch.images[:, 3] > 0.5, batch.target == 1
    assert float((said & target).sum() / (said | target).sum()) > 0.9


def test_members_choose_the_frames(frames: Frames) -> None:
    chosen = augmented_batch(frames, [1], seed=0, epoch=0, members=[4, 2])
    every = augmented_batch(frames, [1], seed=0, epoch=0, members=[0, 2, 1])
    assert torch.equal(chosen.images, every.images)


def test_plain_batches_are_the_frames_themselves(frames: Frames) -> None:
    batch = plain_batch(frames, [1, 3], acetowhite=np.full(frames.target.shape, 51, dtype=np.uint8))
    assert torch.equal(batch.images[1, :3].permute(1, 2, 0), torch.from_numpy(frames.rgb[3]).float() / 255)
    assert torch.allclose(batch.images[:, 3], torch.tensor(0.2))
    assert torch.equal(batch.target[0], torch.from_numpy(frames.target[1]).long())


def test_images_are_floats_with_channels_last() -> None:
    images = to_images(np.full((2, 8, 6, 3), 255, dtype=np.uint8))
    assert images.shape == (2, 3, 8, 6)
    assert images.dtype == torch.float32
    assert float(images.max()) == 1.0
    assert images.is_contiguous(memory_format=torch.channels_last)


def test_chunks_hold_all() -> None:
    assert chunks(range(5), 2) == [range(2), range(2, 4), range(4, 5)]
