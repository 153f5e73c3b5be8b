"""SegNet and its peers on AnnoCerv's outlines, from scratch, by patient-wise cross-validation.

    python -m benchmarks.annocerv_segmentation path/to/annocerv/dataset
    python -m benchmarks.annocerv_segmentation path/to/annocerv/dataset --segmenter unet_resnet34 --set rotation_deg=90

Masks that were closed by guess take no part, as in the program. Every image is judged once, by a network that has seen
no image of its patient; an eighth of the other patients chooses the epoch. Beside it stand the mean training mask and a
disc in the middle, which look at no image, with the paired differences (--blind-only: these alone, without a training).
Of images without an outline nobody has said what is on them; what is marked on those of cases with a Swede score below
3 is printed too. One Markdown row is printed, and with --worst N the images with the lowest Dice are drawn into a
folder: photograph, expert's mask, network's mask.
"""

import argparse
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from sqlalchemy import select

from benchmarks.segmentation_bench import (
    Bench,
    Blind,
    blind_cells,
    draw,
    judge,
    judge_blind,
    open_bench,
    summary,
    teach,
)
from benchmarks.shared import print_row
from colpo_core.cli.training import parse_changes
from colpo_core.datasets.splits import fold_patients, strata_of
from colpo_core.evaluation.intervals import mean_by_patients
from colpo_core.nets.interfaces import Segmenter
from colpo_core.records.snapshots.snapshots import SnapshotQuery
from colpo_core.records.training.settings import TrainingSettings, preset
from colpo_core.services.common.actors import IMPORTER, program_actor
from colpo_core.services.common.callers import Caller
from colpo_core.services.imports.annocerv import import_annocerv
from colpo_core.services.snapshots.external_sets import group_patients
from colpo_core.services.snapshots.freezing import freeze_snapshot
from colpo_core.services.snapshots.rows import read_manifest
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.tables import Case
from colpo_core.terms import LabelSource, Role
from colpo_core.workers.stored_pixels import StoredPixels


def main() -> None:
    asked = _arguments()
    settings = preset(
        "standard", **{"segmenter": asked.segmenter, "precision": "fp32", **parse_changes(tuple(asked.changes))}
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        bench, low = _bench(asked.dataset, settings, folder)
        began = time.perf_counter()
        places, figures, free = [], [], []
        blind: Blind | None = None
        for fold, (train, validation, test) in enumerate(_folds(bench, asked.folds)):
            unseen = judge_blind(bench, train, test)
            blind = unseen if blind is None else blind.and_those_of(unseen)
            if asked.blind_only:
                places += test
                figures += [pair.mean_mask for pair in unseen.pairs]
                continue
            network = teach(bench, settings, train, validation)
            known = {bench.frames.items[place].patient_id for place in (*train, *validation)}
            free += [
                (place, float(draw(bench, settings, network, place).mean()))
                for place in _without_outline(bench, low, fold, asked.folds)
                if bench.frames.items[place].patient_id not in known
            ]
            judged = judge(bench, settings, network, test)
            places += test
            figures += judged
            if asked.worst:
                _draw_worst(bench, network, test, [image.dice or 0.0 for image in judged], asked, fold)
        minutes = (time.perf_counter() - began) / 60
        if blind is None:
            raise SystemExit("There is no fold.")
        totals = summary(bench, places, figures, blind)
        marked = mean_by_patients(
            [area for _, area in free], [bench.frames.items[place].patient_id for place, _ in free]
        )
    words = " ".join(asked.changes) or "as it is"
    size = f"{settings.width_px} x {settings.height_px}"
    print_row(
        asked.segmenter, words, size, str(asked.folds), totals.iou_acetowhite.text(), totals.iou_background.text(),
        *blind_cells(totals), totals.dice.text(), totals.hd95_percent.text(),
        f"{marked.text()}, {marked.n_images} images", f"{minutes:.0f}",
    )  # fmt: skip


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--segmenter", default="segnet_vgg19")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--set", dest="changes", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--blind-only", action="store_true", help="no training: the masks that look at no image alone")
    parser.add_argument("--worst", type=int, default=0, help="how many of the worst images of each fold to draw")
    parser.add_argument("--out", type=Path, default=Path("worst"))
    return parser.parse_args()


def _bench(dataset: Path, settings: TrainingSettings, folder: Path) -> tuple[Bench, set[int]]:
    """The frames, and the rows of the cases whose Swede score is below 3."""
    store = Store.open(Settings(data_dir=folder / "data"))
    actor = program_actor(store, IMPORTER)
    owner = type(actor)(actor.person_id, actor.username, actor.display_name, Role.ADMINISTRATOR)
    import_annocerv(Caller(store, owner), folder=dataset)
    frozen = freeze_snapshot(
        Caller(store, owner), query=SnapshotQuery("benchmark", label_source=LabelSource.IMPRESSION)
    )
    manifest = read_manifest(store, frozen.sha256)
    with store.reading() as session:
        low = set(session.scalars(select(Case.id).where(Case.swede_total < 3)))
    bench = open_bench(manifest, settings, folder, source=StoredPixels(store))
    return bench, low


def _without_outline(bench: Bench, cases: set[int], fold: int, folds: int) -> list[int]:
    """Frames of some cases that have no mask, each in one fold."""
    return [
        place
        for place, item in enumerate(bench.frames.items)
        if item.mask_sha256 is None and item.case_id in cases and item.patient_id % folds == fold
    ]


def _folds(bench: Bench, folds: int) -> list[tuple[list[int], list[int], list[int]]]:
    """Train, validation and test frames of each fold; patients who share an image or a near copy stay together."""
    frames = bench.frames
    masked = frames.with_mask
    rows = [(frames.items[place].image_id, frames.items[place].patient_id, frames.items[place].image_sha256)
            for place in range(len(frames))]  # fmt: skip
    looks = {item.image_id: look for item, look in zip(frames.items, frames.fingerprints, strict=True)}
    heads = group_patients(rows, looks)
    groups = strata_of((frames.items[place] for place in masked), heads)
    outer = fold_patients(groups, folds=folds, seed=0)
    sides_of_folds = []
    for fold in range(folds):
        rest = {head: stratum for head, stratum in groups.items() if outer[head] != fold}
        inner = fold_patients(rest, folds=8, seed=fold)
        sides: tuple[list[int], list[int], list[int]] = ([], [], [])
        for place in masked:
            head = heads[frames.items[place].patient_id]
            sides[2 if outer[head] == fold else int(inner[head] == 0)].append(place)
        sides_of_folds.append(sides)
    return sides_of_folds


def _draw_worst(
    bench: Bench, network: Segmenter, places: list[int], dice: list[float], asked: argparse.Namespace, fold: int
) -> None:
    import torch

    asked.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for rank in np.argsort(dice)[: asked.worst]:
        frame = bench.frames.rgb[places[rank]]
        images = torch.from_numpy(frame.copy()).permute(2, 0, 1)[None].float() / 255
        with torch.inference_mode():
            probability = network.acetowhite(images)[0, 0].numpy()
        truth = (bench.frames.target[places[rank]] == 1) * 255
        marks = [truth.astype(np.uint8), (probability * 255).astype(np.uint8)]
        row = np.hstack([frame[:, :, ::-1], *(np.repeat(mark[:, :, None], 3, axis=2) for mark in marks)])
        rows.append(cv2.putText(row.copy(), f"{dice[rank]:.2f}", (4, 14), 0, 0.45, (0, 255, 255)))
    cv2.imwrite(str(asked.out / f"{asked.segmenter}-fold{fold + 1}.png"), np.vstack(rows))


if __name__ == "__main__":
    main()
