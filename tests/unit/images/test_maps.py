"""A prediction's maps: their frame and their file."""

import io
import zipfile

import numpy as np
import pytest

from colpo_core.errors import InputRejected
from colpo_core.images.letterbox import fit_into
from colpo_core.images.maps import MAP_NAMES, map_over_image, pack_maps, unpack_maps


def random_maps(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.random((3, 4), dtype=np.float32) for name in MAP_NAMES}


def test_maps_come_back_from_their_file() -> None:
    maps = random_maps()
    back = unpack_maps(pack_maps(maps))
    assert set(back) == set(MAP_NAMES)
    for name in MAP_NAMES:
        assert back[name].dtype == np.float32
        assert np.array_equal(back[name], maps[name])


def test_equal_maps_give_equal_files_whatever_their_order_and_the_time() -> None:
    maps = random_maps()
    content = pack_maps(maps)
    assert content == pack_maps(dict(reversed(maps.items())))
    assert content != pack_maps(random_maps(1))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_numpy_itself_can_read_the_file() -> None:
    with np.load(io.BytesIO(pack_maps(random_maps()))) as archive:
        assert sorted(archive.files) == sorted(MAP_NAMES)


def with_code() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **{MAP_NAMES[0]: np.array([object()])}, allow_pickle=True)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content", [b"", b"no maps", b"PK\x05\x06", pytest.param(with_code(), id="a file with code in it")]
)
def test_what_holds_no_maps_is_refused(content: bytes) -> None:
    with pytest.raises(InputRejected, match="damaged"):
        unpack_maps(content)


def test_a_file_cut_anywhere_is_refused() -> None:
    content = pack_maps(random_maps())
    for end in range(0, len(content), 37):
        with pytest.raises(InputRejected, match="damaged"):
            unpack_maps(content[:end])


@pytest.mark.parametrize("bad", [np.array([1.0, 2.0]), np.array([[np.nan]]), np.array([[-1.0]]), np.array([[1]])])
def test_maps_without_sense_are_not_written(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="is not H x W of finite numbers from 0"):
        pack_maps({"3ch-hsil": bad})


def test_without_padding_the_cells_are_the_map() -> None:
    cells = np.random.default_rng(0).random((3, 4), dtype=np.float32)
    fit = fit_into(image_height_px=480, image_width_px=640, box_height_px=96, box_width_px=128)
    assert np.array_equal(map_over_image(cells, fit), cells)


def test_with_padding_the_map_covers_the_image_alone() -> None:
    # 64 x 64 px in the middle of 64 x 128: the two middle columns of cells and nothing else.
    fit = fit_into(image_height_px=200, image_width_px=200, box_height_px=64, box_width_px=128)
    cells = np.array([[9.0, 1.0, 2.0, 9.0], [9.0, 1.0, 2.0, 9.0]], np.float32)
    seen = map_over_image(cells, fit)
    assert seen.shape == (8, 8)
    assert np.allclose(seen, seen[0])
    # Between the middle cells' centres nothing of the padding is seen.
    assert np.allclose(seen[0, 2:6], [1.125, 1.375, 1.625, 1.875])


def test_a_ramp_stays_a_ramp() -> None:
    fit = fit_into(image_height_px=100, image_width_px=300, box_height_px=160, box_width_px=160)
    cells = np.tile(np.arange(5, dtype=np.float32)[:, None], (1, 5))
    seen = map_over_image(cells, fit)
    places = (fit.top_px + (np.arange(seen.shape[0]) + 0.5) * fit.fitted_height_px / seen.shape[0]) / 32 - 0.5
    assert np.allclose(seen, np.clip(places, 0, 4)[:, None], atol=1e-5)


def test_nothing_stays_nothing_and_nothing_turns_negative() -> None:
    fit = fit_into(image_height_px=37, image_width_px=211, box_height_px=96, box_width_px=128)
    assert not map_over_image(np.zeros((3, 4), np.float32), fit).any()
    assert map_over_image(np.random.default_rng(0).random((3, 4), dtype=np.float32), fit).min() >= 0
