"""What the benchmarks share: Markdown tables, ways that are measured in turns, and snapshots of simulated cases."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from colpo_core.datasets.manifest import Manifest, ManifestItem
from colpo_core.labels import RULES_VERSION
from colpo_core.terms import Label, LabelSource, MaskOrigin, Split


def row(*cells: object) -> str:
    """A row of a Markdown table."""
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def heading(*cells: object) -> str:
    """The first two rows of a Markdown table."""
    return f"{row(*cells)}\n|{' --- |' * len(cells)}"


def print_row(*cells: object) -> None:
    """Print a row of a Markdown table as soon as it is known."""
    print(row(*cells), flush=True)


def print_heading(*cells: object) -> None:
    """Print the first two rows of a Markdown table."""
    print(heading(*cells), flush=True)


def in_turns(ways: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """What each way measures, round after round, after one that warms up."""
    for way in ways.values():
        way()
    measured: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            measured[name].append(way())
    return measured


@dataclass(frozen=True)
class DrawnPixels:
    """Images and masks by their hashes, in memory."""

    images: Mapping[str, npt.NDArray[np.uint8]]
    masks: Mapping[str, npt.NDArray[np.bool_]]

    def load_image(self, sha256: str) -> npt.NDArray[np.uint8]:
        """An image, H x W x 3 uint8."""
        return self.images[sha256]

    def load_mask(self, sha256: str, height_px: int, width_px: int) -> npt.NDArray[np.bool_]:
        """A mask, H x W bool."""
        return self.masks[sha256]


def drawn_item(
    number: int,
    image_sha256: str,
    mask_sha256: str,
    *,
    split: Split = Split.TRAIN,
    label: Label | None = None,
    size_px: Sequence[int] = (480, 640),
) -> ManifestItem:
    """A simulated image of a patient of its own, numbered from 0; its size is height and width."""
    return ManifestItem(
        image_sha256,
        *(number + 1, number + 1, number + 1),
        split,
        *(size_px[1], size_px[0]),
        label,
        None,
        mask_sha256,
        MaskOrigin.SIMULATED,
        simulated=True,
    )


def drawn_manifest(
    items: Iterable[ManifestItem] = (), fractions: tuple[float, float, float] = (1.0, 0.0, 0.0)
) -> Manifest:
    """A snapshot of simulated images, which may be empty."""
    return Manifest(tuple(items), (), LabelSource.HISTOLOGY, RULES_VERSION, 0, fractions)
