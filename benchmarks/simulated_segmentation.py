"""SegNet on simulated cases that it has never seen, learned from scratch in minutes on two cores.

    python -m benchmarks.simulated_segmentation
    python -m benchmarks.simulated_segmentation --cases 600 --set segmentation_epochs=30

Every case is a patient of her own. One Markdown row is printed: IoU of acetowhite epithelium on the test cases as the
mean over images with its interval, that of the mean training mask and of a disc in the middle, which look at no image,
with the paired differences; its median, and over all pixels together; what is marked where there is no lesion; and the
minutes of drawing and of learning.
"""

import argparse
import hashlib
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.segmentation_bench import Bench, blind_cells, judge, judge_blind, open_bench, summary, teach
from benchmarks.shared import DrawnPixels, drawn_item, drawn_manifest, print_row
from colpo_core.cli.training import parse_changes
from colpo_core.records.training.settings import TrainingSettings, preset
from colpo_core.simulation.cases import simulate_case
from colpo_core.terms import Split

FIRST_SEED = 50_000
SHARES = {Split.TRAIN: 0.80, Split.VALIDATION: 0.05, Split.TEST: 0.15}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=600)
    parser.add_argument("--drawn-px", type=int, nargs=2, default=(240, 320), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--set", dest="changes", action="append", default=[], metavar="NAME=VALUE")
    asked = parser.parse_args()
    settings = preset(asked.preset, **{"precision": "fp32", **parse_changes(tuple(asked.changes))})
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as temporary:
        bench = _bench(asked.cases, asked.drawn_px, settings, Path(temporary))
        drawn = time.perf_counter()
        train, validation, test = (bench.frames.of(split) for split in Split)
        network = teach(bench, settings, train, validation)
        learned = time.perf_counter()
        figures = judge(bench, settings, network, test)
        totals = summary(bench, test, figures, judge_blind(bench, train, test))
        pooled = _pooled(bench, settings, network, test)
    ious = [image.iou_acetowhite for image in figures if image.iou_acetowhite is not None]
    words = " ".join(asked.changes) or "as it is"
    print_row(
        f"{asked.preset}: {words}", f"{len(train)} / {len(test)}", f"{settings.width_px} x {settings.height_px}",
        totals.iou_acetowhite.text(), *blind_cells(totals), f"{np.median(ious):.2f}", f"{pooled:.2f}",
        totals.false_area.text(),
        f"{(drawn - began) / 60:.1f} + {(learned - drawn) / 60:.1f}",
    )  # fmt: skip


def _draw(number: int, height_px: int, width_px: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    case = simulate_case(FIRST_SEED + number, height_px=height_px, width_px=width_px)
    return case.rgb, case.mask


def _bench(n_cases: int, drawn_px: tuple[int, int], settings: TrainingSettings, folder: Path) -> Bench:
    height_px, width_px = drawn_px
    with ProcessPoolExecutor(2) as pool:
        cases = list(pool.map(_draw, range(n_cases), [height_px] * n_cases, [width_px] * n_cases, chunksize=8))
    images, masks, items = {}, {}, []
    bounds = np.round(np.cumsum(list(SHARES.values())) * n_cases)
    for number, (rgb, mask) in enumerate(cases):
        shas = [hashlib.sha256(bytes([kind]) + array.tobytes() + number.to_bytes(4, "big")).hexdigest()
                for kind, array in enumerate((rgb, mask))]  # fmt: skip
        images[shas[0]], masks[shas[1]] = rgb, mask
        items.append(
            drawn_item(
                number,
                *shas,
                split=list(SHARES)[int(np.searchsorted(bounds, number, side="right"))],
                size_px=drawn_px,
            )
        )
    fractions = (SHARES[Split.TRAIN], SHARES[Split.VALIDATION], SHARES[Split.TEST])
    return open_bench(drawn_manifest(items, fractions), settings, folder, source=DrawnPixels(images, masks))


def _pooled(bench: Bench, settings: TrainingSettings, network: object, places: list[int]) -> float:
    """IoU over all pixels of all test images together, at the working size."""
    import torch

    from colpo_core.datasets.tensors import Batches

    batches = Batches(bench.frames, bounds=settings.augmentation, device=torch.device("cpu"))
    both = either = 0
    for member in places:
        batch = batches.plain([member])
        with torch.inference_mode():
            called = network.acetowhite(batch.images)[0, 0] >= 0.5  # type: ignore[attr-defined]
        truth = batch.target[0] == 1
        known = batch.target[0] != 255
        both += int((called & truth).sum())
        either += int(((called | truth) & known).sum())
    return both / max(1, either)


if __name__ == "__main__":
    main()
