"""Does the comparison see that a mask helps? All five arms, three trainings each, on cases that hide the lesion.

    python -m benchmarks.mask_helps        # contrast lowered to a tenth, noise over it
    python -m benchmarks.mask_helps plain  # the simulated photographs as they are

The segmenter is left out: the predicted channel is the simulation's own mask with a part of it missing and noise over
it, so that what is measured is the comparison, not the segmenter. One Markdown row is printed: the areas under the ROC
curve of the arms by case, then the differences with their intervals.
"""

import hashlib
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from benchmarks.shared import print_row
from colpo_core.datasets.frames import ACETOWHITE, Frames
from colpo_core.records.training.stages import ARMS
from colpo_core.simulation.cases import simulate_case
from colpo_core.terms import Grade, Label, Split
from colpo_core.training.comparison import run_comparison
from colpo_core.training.fourth_channel_controls import FourthChannelControls
from colpo_core.training.stage_splits import images_of_split
from colpo_core.training.training_run import PreparedData, TrainingRun
from tests.support.blobs import Blobs, blobs, tiny
from tests.support.training_runs import opened

COUNTS = (64, 20, 80)
CONTRAST = 0.1
NOISE = 30.0
FIRST_SEED = 9000
HIGH_GRADES = (Grade.CIN2, Grade.CIN3)
HEIGHT_PX, WIDTH_PX = 120, 160
SETTINGS = tiny(comparison_seeds=3, classification_epochs=4, batch_size=8, learning_rate_classification=2e-3, threads=0)


def simulated(*, hidden: bool) -> Blobs:
    """Simulated cases in place of blobs, on the same sides."""
    some = blobs(COUNTS)
    images: dict[str, NDArray[np.uint8]] = {}
    masks: dict[str, NDArray[np.bool_]] = {}
    items = []
    for number, item in enumerate(some.manifest.items):
        case = simulate_case(FIRST_SEED + number, height_px=HEIGHT_PX, width_px=WIDTH_PX)
        rgb = hide(case.rgb, number) if hidden else case.rgb
        image_sha256, mask_sha256 = (
            hashlib.sha256(part.tobytes() + bytes([number])).hexdigest() for part in (rgb, case.mask)
        )
        images[image_sha256], masks[mask_sha256] = rgb, case.mask
        height_px, width_px = case.mask.shape
        items.append(
            replace(
                item,
                image_sha256=image_sha256,
                mask_sha256=mask_sha256,
                height_px=height_px,
                width_px=width_px,
                label=Label.HSIL if case.grade in HIGH_GRADES else Label.NORMAL,
                grade=case.grade,
            )
        )
    return Blobs(replace(some.manifest, items=tuple(items)), images, masks)


def hide(rgb: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """A photograph with little contrast and much noise."""
    mean = rgb.mean(axis=(0, 1), keepdims=True)
    noise = np.random.default_rng(seed).normal(0, NOISE, rgb.shape)
    return np.clip(mean + CONTRAST * (rgb - mean) + noise, 0, 255).astype(np.uint8)


def drawn_badly(frames: Frames) -> NDArray[np.uint8]:
    """The experts' masks as a middling segmenter would draw them, N x H x W uint8."""
    generator = np.random.default_rng(0)
    truth = (frames.target == ACETOWHITE).astype(np.float64)
    marked = truth * (generator.random(truth.shape) < 0.8)
    return np.clip(255 * (0.15 + 0.6 * marked + generator.normal(0, 0.1, truth.shape)), 0, 255).astype(np.uint8)


def compare(run: TrainingRun) -> dict[str, Any]:
    """The comparison's figures."""
    frames = run.trainer.frames
    train, validation, test = (images_of_split(frames, split).labels for split in Split)
    channel = drawn_badly(frames)
    sides = PreparedData(nn.Identity(), train, {}, channel, train, validation, test, {})  # type: ignore[arg-type]
    return run_comparison(run.trainer, FourthChannelControls(frames, channel, seed=0), sides).figures


def main() -> None:
    hidden = "plain" not in sys.argv[1:]
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, opened(simulated(hidden=hidden), Path(folder), SETTINGS) as run:
        figures = compare(run)
    seconds = time.perf_counter() - start
    cells = ["contrast 0.1, noise 30" if hidden else "as they are"]
    cells += [f"{figures['arms'][arm]['auc']['value']:.2f}" for arm in ARMS]
    for row in figures["differences"]:
        low, high = (row["auc"][bound] for bound in ("low", "high"))
        interval = "no interval" if low is None else f"{low:+.2f} to {high:+.2f}"
        cells.append(f"{row['second']} - {row['first']}: {row['auc']['value']:+.2f} ({interval})")
    print_row(*cells, f"{seconds:.0f} s")


if __name__ == "__main__":
    main()
