import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from colpo_core.datasets.frames import Frames
from colpo_core.datasets.mapped_arrays import PageCount, new_channel
from colpo_core.datasets.tensors import Batch, Batches, chunks, epoch_order, prefetched
from colpo_core.records.training.settings import AugmentationBounds
from tests.support.blobs import blobs

CPU = torch.device("cpu")
EVERYTHING = AugmentationBounds(contrast=0.3, hue_deg=20, blur_px=1)


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Frames:
    return blobs((5, 1, 1)).frames(tmp_path_factory.mktemp("frames"), width_px=96)


@pytest.fixture(params=[None, True], ids=["by OpenCV", "as on a GPU"])
def batches(frames: Frames, request: pytest.FixtureRequest) -> Batches:
    return Batches(frames, bounds=AugmentationBounds(), device=CPU, resident=request.param)


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


@pytest.mark.parametrize(("count", "batch_size"), [(0, 4), (4, 1)])
def test_no_image_or_a_batch_of_one_is_refused(count: int, batch_size: int) -> None:
    with pytest.raises(ValueError, match="batches"):
        epoch_order(count, batch_size=batch_size, seed=0, epoch=0)


def test_a_single_image_is_taken_twice(batches: Batches) -> None:
    (places,) = epoch_order(1, batch_size=8, seed=0, epoch=0)
    batch = batches.augmented(places, seed=0, epoch=0, members=[3])
    assert batch.images.shape == (2, 3, 64, 96)
    assert batch.members == [3, 3]
    assert not torch.equal(batch.images[0], batch.images[1])


def test_batches_are_floats_with_channels_last(batches: Batches, frames: Frames) -> None:
    channel = frames.target.__getitem__
    for batch in (
        batches.plain([0, 1]),
        batches.plain([0, 1], channel=channel),
        batches.augmented([0, 1], seed=0, epoch=0, members=[0, 1]),
        batches.augmented([0, 1], seed=0, epoch=0, members=[0, 1], channel=channel),
    ):
        assert batch.images.dtype == torch.float32
        assert batch.images.is_contiguous(memory_format=torch.channels_last)
        assert 0 <= float(batch.images.min()) < 0.1
        assert 0.8 < float(batch.images.max()) <= 1
        assert batch.target.dtype == torch.int64
        assert batch.target.shape == (2, 64, 96)


def test_three_and_four_channels_get_the_same_colours(batches: Batches) -> None:
    soft = np.random.default_rng(0).integers(0, 256, (7, 64, 96), dtype=np.uint8)
    three = batches.augmented([2, 0], seed=7, epoch=3, members=range(5))
    four = batches.augmented([2, 0], seed=7, epoch=3, members=range(5), channel=lambda frame: soft[frame])
    assert four.images.shape == (2, 4, 64, 96)
    assert torch.equal(three.images, four.images[:, :3])
    assert torch.equal(three.target, four.target)


def test_the_fourth_channel_lies_over_the_mask(batches: Batches, frames: Frames) -> None:
    drawn = (frames.target == 1).astype(np.uint8) * 255
    batch = batches.augmented(list(range(5)), seed=7, epoch=3, members=[4, 3, 2, 1, 0], channel=drawn.__getitem__)
    said, target = batch.images[:, 3] > 0.5, batch.target == 1
    assert float((said & target).sum() / (said | target).sum()) > 0.9


def test_members_choose_the_frames_and_places_the_draws(batches: Batches) -> None:
    chosen = batches.augmented([1, 3], seed=0, epoch=0, members=[4, 2])
    every = batches.augmented([1], seed=0, epoch=0, members=[0, 2, 1])
    assert chosen.members == [2, 2]
    assert torch.equal(chosen.images[0], every.images[0])
    assert not torch.equal(chosen.images[1], every.images[0])


def test_plain_batches_are_the_frames_themselves(batches: Batches, frames: Frames) -> None:
    batch = batches.plain(range(1, 4, 2), channel=lambda _: np.full((64, 96), 51, dtype=np.uint8))
    assert batch.members == [1, 3]
    assert torch.equal(batch.images[1, :3].permute(1, 2, 0), torch.from_numpy(np.array(frames.rgb[3])) / 255)
    assert torch.allclose(batch.images[:, 3], torch.tensor(0.2))
    assert torch.equal(batch.target[0], torch.from_numpy(np.array(frames.target[1])).long())


def test_both_ways_make_the_same_batch(frames: Frames) -> None:
    soft = np.random.default_rng(0).integers(0, 256, (7, 8, 12), dtype=np.uint8).repeat(8, 1).repeat(8, 2)
    one, other = (
        Batches(frames, bounds=EVERYTHING, device=CPU, resident=resident).augmented(
            [0, 1, 2, 3], seed=5, epoch=2, members=[6, 1, 3], channel=soft.__getitem__
        )
        for resident in (None, True)
    )
    assert one.members == other.members == [6, 1, 3, 6]
    off = 255 * (one.images - other.images).abs()
    assert float((off <= 2.01).float().mean()) > 0.99
    assert float(off.mean()) < 0.1
    assert float((one.target != other.target).float().mean()) < 0.005


@pytest.mark.parametrize("resident", [None, True])
def test_what_is_read_of_mapped_frames_is_counted(
    frames: Frames, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resident: bool | None
) -> None:
    counted: list[tuple[int, ...]] = []
    monkeypatch.setattr(PageCount, "seen", lambda _, part: counted.append(part.shape))
    soft = new_channel(tmp_path / "soft.u8", count=7, height_px=64, width_px=96)
    batches = Batches(frames, bounds=EVERYTHING, device=CPU, resident=resident)
    batches.augmented([0, 1], seed=0, epoch=0, members=[0, 1], channel=soft.__getitem__)
    assert sorted(counted) == [(64, 96)] * 4 + [(64, 96, 3)] * 2


def test_batches_made_ahead_are_the_same_in_the_same_order(batches: Batches) -> None:
    order = epoch_order(7, batch_size=2, seed=1, epoch=0) + epoch_order(7, batch_size=2, seed=1, epoch=1)

    def make(places: list[int]) -> Batch:
        return batches.augmented(places, seed=1, epoch=0, members=range(7))

    ahead = list(prefetched(make, order))
    assert len(ahead) == len(order) == 6
    for batch, places in zip(ahead, order, strict=True):
        alone = make(places)
        assert batch.members == alone.members
        assert torch.equal(batch.images, alone.images)
        assert torch.equal(batch.target, alone.target)


@pytest.fixture
def no_thread_is_left() -> Iterator[None]:
    before, opencv = set(threading.enumerate()), cv2.getNumThreads()
    cv2.setNumThreads(2)
    yield
    assert set(threading.enumerate()) <= before
    assert cv2.getNumThreads() == 2
    cv2.setNumThreads(opencv)


def empty(places: list[int]) -> Batch:
    return Batch(torch.zeros(0), torch.zeros(0), places)


@pytest.mark.usefixtures("no_thread_is_left")
@pytest.mark.parametrize("depth", [1, 3])
def test_so_many_are_made_ahead_in_one_thread(depth: int) -> None:
    made: list[tuple[int, str, int]] = []
    is_full = threading.Semaphore(0)

    def make(places: list[int]) -> Batch:
        made.append((places[0], threading.current_thread().name, cv2.getNumThreads()))
        is_full.release()
        return empty(places)

    taken = prefetched(make, [[number] for number in range(10)], depth=depth)
    assert next(taken).members == [0]
    for _ in range(1 + depth):
        assert is_full.acquire(timeout=10)
    assert not is_full.acquire(timeout=0.05)
    assert [batch.members[0] for batch in taken] == list(range(1, 10))
    assert [number for number, _, _ in made] == list(range(10))
    assert {(thread, opencv) for _, thread, opencv in made} == {("batches_0", 1)}


@pytest.mark.usefixtures("no_thread_is_left")
def test_an_error_in_the_thread_comes_at_its_turn() -> None:
    def make(places: list[int]) -> Batch:
        if places == [2]:
            raise ArithmeticError("two")
        return empty(places)

    ahead = prefetched(make, [[0], [1], [2], [3]])
    assert [next(ahead).members, next(ahead).members] == [[0], [1]]
    with pytest.raises(ArithmeticError, match="two"):
        next(ahead)


@pytest.mark.usefixtures("no_thread_is_left")
def test_leaving_early_ends_the_thread() -> None:
    with closing(prefetched(empty, [[number] for number in range(100)])) as ahead:
        assert next(ahead).members == [0]
    abandoned = prefetched(empty, [[number] for number in range(100)])
    next(abandoned)
    del abandoned


@pytest.mark.usefixtures("no_thread_is_left")
def test_no_order_makes_no_batch_and_none_ahead_is_refused() -> None:
    assert list(prefetched(empty, [])) == []
    with pytest.raises(ValueError, match="0 batches ahead"):
        next(prefetched(empty, [[0]], depth=0))


def test_chunks_hold_all() -> None:
    assert chunks(range(5), 2) == [range(2), range(2, 4), range(4, 5)]
