import mmap
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

from colpo_core.datasets import disk_space
from colpo_core.datasets.mapped_arrays import PageCount, map_array, new_channel, release_pages
from colpo_core.errors import JobFailed

STATUS = Path("/proc/self/status")
COUNT, SIDE_PX = 64, 1024
TOTAL_BYTES = COUNT * SIDE_PX**2
can_release = pytest.mark.skipif(
    not STATUS.exists() or not hasattr(mmap, "MADV_DONTNEED"), reason="the system does not give pages back"
)


def memory_bytes() -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", STATUS.read_text())
    assert found
    return 1024 * int(found[1])


@pytest.fixture
def large(tmp_path: Path) -> np.ndarray:
    place = tmp_path / "large.u8"
    with place.open("wb") as file:
        file.truncate(TOTAL_BYTES)
    return map_array(place, (COUNT, SIDE_PX, SIDE_PX))


@can_release
def test_reading_a_mapped_array_does_not_fill_the_memory(large: np.ndarray) -> None:
    before = memory_bytes()
    pages, most = PageCount(every_bytes=TOTAL_BYTES // 8), 0
    for part in large:
        part.sum()
        pages.seen(part)
        most = max(most, memory_bytes() - before)
    assert most < TOTAL_BYTES // 4
    for part in large:
        part.sum()
    assert memory_bytes() - before > TOTAL_BYTES // 2  # so it would have been
    release_pages(large[3])
    assert memory_bytes() - before < TOTAL_BYTES // 4


@can_release
def test_writing_a_channel_does_not_fill_the_memory_and_loses_nothing(tmp_path: Path) -> None:
    channel = new_channel(tmp_path / "work" / "channel.u8", count=COUNT, height_px=SIDE_PX, width_px=SIDE_PX)
    assert not channel[-1].any()
    before = memory_bytes()
    pages, most = PageCount(every_bytes=TOTAL_BYTES // 8), 0
    for number in range(COUNT):
        channel[number] = number + 1
        pages.seen(channel[number])
        most = max(most, memory_bytes() - before)
    assert most < TOTAL_BYTES // 4
    again = map_array(tmp_path / "work" / "channel.u8", channel.shape)
    assert again[:, 0, 0].tolist() == channel[:, -1, -1].tolist() == list(range(1, COUNT + 1))


def test_arrays_in_memory_and_private_pages_are_left_alone(tmp_path: Path) -> None:
    place = tmp_path / "private.u8"
    place.write_bytes(bytes(4096))
    private = np.memmap(place, dtype=np.uint8, mode="c")
    private[:] = 7
    inside = np.full(4096, 7, dtype=np.uint8)
    pages = PageCount(every_bytes=1)
    for array in (private, private[10:], inside):
        pages.seen(array)
        release_pages(array)
    assert (private == 7).all()
    assert (inside == 7).all()


def test_a_new_channel_takes_the_place_of_an_old_one(tmp_path: Path) -> None:
    place = tmp_path / "channel.u8"
    new_channel(place, count=2, height_px=4, width_px=6)[:] = 9
    assert new_channel(place, count=1, height_px=4, width_px=6).tolist() == [[[0] * 6] * 4]


def test_a_channel_that_the_disk_cannot_take_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_space, "SPARE_BYTES", 2**60)
    with pytest.raises(JobFailed, match="The disk is too full"):
        new_channel(tmp_path / "channel.u8", count=1, height_px=4, width_px=6)


def test_a_file_of_another_size_is_not_mapped(tmp_path: Path) -> None:
    place = tmp_path / "short.u8"
    place.write_bytes(bytes(7))
    with pytest.raises(ValueError, match="does not hold"):
        map_array(place, (2, 4))


@pytest.mark.parametrize("writable", [False, True])
def test_a_mapped_array_crosses_as_the_path_of_its_file(tmp_path: Path, *, writable: bool) -> None:
    channel = new_channel(tmp_path / "channel.u8", count=4, height_px=64, width_px=64)
    channel[2] = 7
    mapped = map_array(tmp_path / "channel.u8", channel.shape, writable=writable)
    crossed = pickle.dumps(mapped)
    assert len(crossed) < 1000
    again = pickle.loads(crossed)  # noqa: S301 - ours
    channel[3] = 9
    assert np.array_equal(again, channel)
    assert again.flags.writeable is writable


def test_a_part_of_a_mapped_array_crosses_as_a_copy(tmp_path: Path) -> None:
    channel = new_channel(tmp_path / "channel.u8", count=4, height_px=8, width_px=8)
    channel[2] = 7
    again = pickle.loads(pickle.dumps(channel[2]))  # noqa: S301 - ours
    channel[2] = 0
    assert again.tolist() == [[7] * 8] * 8
