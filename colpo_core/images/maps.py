"""The maps of a prediction: their names, their frame, and the file that keeps them. Imports no torch.

A map says how strongly each place of an image spoke for a class in one network. Its values are Grad-CAM's own,
not scaled, so that maps of one image can be compared; a map that is zero everywhere says "no positive evidence".
"""

import io
import zipfile
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from colpo_core.errors import InputRejected
from colpo_core.images.letterbox import LetterboxGeometry

MAP_NAMES = ("3ch-normal", "3ch-hsil", "4ch-normal", "4ch-hsil")
"""Network and class of each map, in the order in which they are shown."""

_SAMPLES_PER_CELL = 4
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def map_over_image(cells: NDArray[np.float32], geometry: LetterboxGeometry) -> NDArray[np.float32]:
    """Cut a map of a letterboxed image so that it covers exactly the image.

    Args:
        cells: h x w float at the network's grid over the whole box.
        geometry: Where the image lies in the box.

    Returns:
        h' x w' float32 over the image alone. Without padding these are the cells themselves; with padding the edge of
        the image cuts through cells, so the map is sampled four times finer, linearly between the cells' centres.
    """
    cells = np.asarray(cells, dtype=np.float32)
    if geometry.fills_box:
        return cells
    rows = _sampling(cells.shape[0], geometry.box_height_px, geometry.top_px, geometry.fitted_height_px)
    columns = _sampling(cells.shape[1], geometry.box_width_px, geometry.left_px, geometry.fitted_width_px)
    return np.asarray(rows @ cells @ columns.T, dtype=np.float32)


def pack_maps(maps: Mapping[str, NDArray[np.float32]]) -> bytes:
    """Write maps as an NPZ file; equal maps give equal files.

    Raises:
        ValueError: A map is not H x W, or holds values that are negative or not finite.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(maps):
            # numpy's own writer may stamp the time of writing, and then no two files were equal.
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=_ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            content = io.BytesIO()
            np.save(content, _checked(name, np.asarray(maps[name])), allow_pickle=False)
            archive.writestr(entry, content.getvalue())
    return buffer.getvalue()


def unpack_maps(content: bytes) -> dict[str, NDArray[np.float32]]:
    """Read what `pack_maps` wrote.

    Raises:
        InputRejected: The file is damaged.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return {name: _checked(name, archive[name]) for name in archive.files}
    except (OSError, ValueError, EOFError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise InputRejected(
            "The prediction's maps are damaged. Restore them from a back-up, or predict again."
        ) from error


def _checked(name: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
    if values.ndim != 2 or values.dtype.kind != "f" or not np.isfinite(values).all() or (values < 0).any():
        raise ValueError(f"the map {name} is not H x W of finite numbers from 0")
    return np.ascontiguousarray(values, dtype=np.float32)


def _sampling(n_cells: int, box_px: int, start_px: int, fitted_px: int) -> NDArray[np.float64]:
    """Rows are samples, columns cells: how much of each cell a sample takes, along one side."""
    n_samples = max(1, round(_SAMPLES_PER_CELL * n_cells * fitted_px / box_px))
    centres_px = start_px + (np.arange(n_samples) + 0.5) * fitted_px / n_samples
    places = centres_px * n_cells / box_px - 0.5
    cells = np.arange(n_cells)
    return np.stack([np.interp(places, cells, unit) for unit in np.eye(n_cells)], axis=1)


def brightest_of_network(maps: Mapping[str, NDArray[np.float32]], name: str) -> float:
    """The highest value of all maps of the network that a map is of, so that they can be drawn on one scale."""
    network = name.split("-", maxsplit=1)[0]
    return max(float(values.max()) for other, values in maps.items() if other.startswith(network))
