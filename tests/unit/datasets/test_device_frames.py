from dataclasses import replace

import numpy as np
import pytest
import torch

from colpo_core.datasets.device_frames import DeviceFrames, fit_into_half, gathered, to_device
from colpo_core.datasets.frames import Frames
from colpo_core.datasets.mapped_arrays import PageCount
from tests.support.blobs import blobs

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Frames:
    return blobs((3, 1, 1)).frames(tmp_path_factory.mktemp("frames"))


@pytest.mark.parametrize("held", [True, False])
def test_frames_come_by_their_places(frames: Frames, held: bool) -> None:
    there = DeviceFrames(frames, CPU, held=held, pages=PageCount())
    for members in ([4, 0, 4], [1], [0, 1, 2, 3, 4]):
        rgb, target = there.take(members)
        assert rgb.dtype == target.dtype == torch.uint8
        assert np.array_equal(rgb.numpy(), frames.rgb[members])
        assert np.array_equal(target.numpy(), frames.target[members])


def test_a_held_frame_is_read_once(frames: Frames) -> None:
    rgb = np.array(frames.rgb)
    there = DeviceFrames(replace(frames, rgb=rgb), CPU, held=True, pages=PageCount())
    first, _ = there.take([2, 3])
    rgb[:] = 0
    again, _ = there.take([3, 2])
    assert torch.equal(again, first.flip(0))
    assert not there.take([1])[0].any()


def test_what_was_taken_may_be_written_to(frames: Frames) -> None:
    there = DeviceFrames(frames, CPU, held=True, pages=PageCount())
    there.take([0])[0].zero_()
    assert np.array_equal(there.take([0])[0].numpy(), frames.rgb[:1])


def test_parts_are_copied_and_counted(frames: Frames, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = PageCount()
    seen: list[int] = []
    monkeypatch.setattr(pages, "seen", lambda part: seen.append(part.nbytes))
    together = gathered([frames.rgb[1], frames.rgb[0]], pages)
    assert type(together) is np.ndarray
    assert together.flags.writeable
    assert np.array_equal(to_device(together, CPU).numpy(), frames.rgb[[1, 0]])
    assert seen == [64 * 64 * 3] * 2


def test_a_cpu_holds_nothing_unless_it_is_asked_to(frames: Frames) -> None:
    assert not fit_into_half(frames, CPU)


@pytest.mark.parametrize(("free_bytes", "fits"), [(10 * 64 * 64 * 4, True), (10 * 64 * 64 * 4 - 2, False)])
def test_frames_may_fill_half_of_what_is_free(
    frames: Frames, free_bytes: int, fits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (free_bytes, 2**40))
    assert fit_into_half(frames, torch.device("cuda", 0)) is fits
