"""How often a planted confound is named before a promotion, and a clean store accused.

Ten seeded stores of simulated cases, each kept clean and given a confound that goes with the label: a device (recorded,
and with a look of its own), the look of a device that nobody recorded, a dot in a corner, a frame. The lesions stay as
they are. Of each store the preview of a snapshot is asked, as the page Train does.

    python -m benchmarks.planted_confounds --stores 10 --cases 60
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from colpo_core.images.decoding import CleanImage, encode_clean
from colpo_core.labels import GRADE_LABELS
from colpo_core.records.snapshots.shortcuts import ShortcutReport
from colpo_core.records.snapshots.snapshots import SnapshotQuery
from colpo_core.services.cases.histology import relabel_case
from colpo_core.services.common.actors import SIMULATOR, program_actor
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.store_access import open_store
from colpo_core.services.snapshots.freezing import preview_snapshot
from colpo_core.settings import Settings
from colpo_core.simulation.cases import SimulatedCase, simulate_case
from colpo_core.store.tables import Case, Histology, Image, Patient
from colpo_core.terms import Label, SpecimenKind, Stage

FIRST_SEED = 50_000
AGREES = 0.9
"""How often the confound goes with the label."""
HEIGHT_PX, WIDTH_PX = 240, 320
Change = Callable[[NDArray[np.uint8], int], NDArray[np.uint8]]


@dataclass(frozen=True)
class Plant:
    """A confound.

    Attributes:
        change: What is done to an image that has it; the second argument is the store's number.
        device: Whether the device is recorded, another one with the confound.
        clues: Clues of which any must be accused for it to count as named.
    """

    change: Change
    device: bool
    clues: frozenset[str]


def another_device(rgb: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
    """Warmer or cooler, and softer or sharper."""
    cast = (1.10, 1.0, 0.88) if number % 2 else (0.92, 1.0, 1.10)
    soft = cv2.GaussianBlur(rgb, (0, 0), 0.9).astype(np.float32)
    taken = soft if number % 3 else rgb + 0.8 * (rgb - soft)
    return np.clip(taken * np.array(cast, np.float32), 0, 255).astype(np.uint8)


def dot(rgb: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
    """One of several colours in one of the corners, its radius 1 to 2.5% of the height."""
    colour = ((255, 255, 255), (70, 200, 70), (30, 60, 220), (250, 220, 40))[number % 4]
    height, width = rgb.shape[:2]
    x, y = (round(0.05 * width), round(0.06 * height))
    centre = ((x, y), (width - x, y), (x, height - y), (width - x, height - y))[(number // 2) % 4]
    radius = max(2, round((0.010, 0.015, 0.025)[number % 3] * height))
    return np.asarray(cv2.circle(rgb.copy(), centre, radius, colour, -1), np.uint8)


def frame(rgb: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
    """A black, grey or white border of 1 to 5% of the height."""
    thick = max(2, round((0.01, 0.02, 0.05)[number % 3] * rgb.shape[0]))
    framed = np.full_like(rgb, (0, 255, 60, 20)[number % 4])
    framed[thick:-thick, thick:-thick] = rgb[thick:-thick, thick:-thick]
    return framed


def untouched(rgb: NDArray[np.uint8], _number: int) -> NDArray[np.uint8]:
    return rgb


PLANTS = {
    "clean": Plant(untouched, False, frozenset()),
    "device": Plant(another_device, True, frozenset({"device", "colour", "light", "sharpness"})),
    "device, not recorded": Plant(another_device, False, frozenset({"colour", "light", "sharpness"})),
    "dot": Plant(dot, False, frozenset({"marks"})),
    "frame": Plant(frame, False, frozenset({"border"})),
}


def draw_cases(number: int, n_cases: int) -> list[SimulatedCase]:
    """Cases that have a label, the same for every plant of a store."""
    cases: list[SimulatedCase] = []
    seed = FIRST_SEED + 1000 * number
    while len(cases) < n_cases:
        case = simulate_case(seed, height_px=HEIGHT_PX, width_px=WIDTH_PX)
        seed += 1
        if GRADE_LABELS.get(case.grade) is not None:
            cases.append(case)
    return cases


def look(cases: list[SimulatedCase], plant: Plant, number: int, folder: Path) -> ShortcutReport:
    """What the preview of a snapshot says of the store."""
    chance = np.random.default_rng([number, 1])
    store = open_store(Settings(data_dir=folder), make=True)
    actor = program_actor(store, SIMULATOR)
    try:
        for index, case in enumerate(cases):
            is_hsil = GRADE_LABELS[case.grade] is Label.HSIL
            has_it = bool(is_hsil == (chance.random() < AGREES))
            rgb = plant.change(case.rgb, number) if has_it else case.rgb
            sha256 = store.blobs.put(encode_clean(CleanImage(rgb, WIDTH_PX, HEIGHT_PX)).content)
            # Without a plant, devices and days have nothing to do with the label.
            first = has_it if plant.device else bool(chance.random() < 0.5)
            with store.writing() as session:
                row = Case(
                    patient=Patient(code=f"s-{index}", simulated=True),
                    case_date=date(2024, 1, 8) + timedelta(days=3 * index),
                    device="first colposcope" if first else "second colposcope",
                    simulated=True,
                )
                image = Image(
                    case=row,
                    sha256=sha256,
                    media_type="image/png",
                    width_px=WIDTH_PX,
                    height_px=HEIGHT_PX,
                    stage=Stage.ACETIC_ACID,
                    simulated=True,
                )
                session.add(image)
                session.flush()
                session.add(
                    Histology(
                        case_id=row.id,
                        specimen_number=1,
                        kind=SpecimenKind.PUNCH_BIOPSY,
                        grade=case.grade,
                        note="",
                        entered_by=actor.person_id,
                    )
                )
                session.flush()
                relabel_case(session, row)
        return preview_snapshot(Caller(store, actor), query=SnapshotQuery("confounds")).shortcuts
    finally:
        store.close()


def run(numbers: range, n_cases: int, names: list[str]) -> dict[str, list[tuple[bool, str]]]:
    """Of each plant and store: whether it was named (of a clean one: accused), and as what."""
    results: dict[str, list[tuple[bool, str]]] = {name: [] for name in names}
    for number in numbers:
        cases = draw_cases(number, n_cases)
        for name in names:
            plant = PLANTS[name]
            with tempfile.TemporaryDirectory() as folder:
                report = look(cases, plant, number, Path(folder))
            accused = [clue for clue in report.clues if clue.accused]
            named = bool(accused) if name == "clean" else any(clue.clue in plant.clues for clue in accused)
            accusation = ", ".join(
                f"{clue.clue} {clue.auc:.2f} ({clue.low:.2f} to {clue.high:.2f})" for clue in accused
            )
            results[name].append((named, accusation))
            print(f"store {number}, {name}: {accusation or 'nothing'}", flush=True)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stores", type=int, default=10)
    parser.add_argument("--first", type=int, default=0, help="Number of the first store.")
    parser.add_argument("--cases", type=int, default=60)
    parser.add_argument("--plant", action="append", choices=list(PLANTS), help="Of all; may be given several times.")
    asked = parser.parse_args()
    begun = time.perf_counter()
    results = run(range(asked.first, asked.first + asked.stores), asked.cases, asked.plant or list(PLANTS))
    print(f"\n{asked.cases} cases a store; the confound goes with the label in {AGREES:.0%}")
    for name, rows in results.items():
        word = "accused" if name == "clean" else "named"
        print(f"{name}: {word} in {sum(named for named, _ in rows)} of {len(rows)}")
    print(f"{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
