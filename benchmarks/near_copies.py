"""How far near copies of one photograph, and photographs of different patients, lie apart by their perceptual hash.

    python -m benchmarks.near_copies                          # 120 simulated cases
    python -m benchmarks.near_copies path/to/annocerv/dataset # the AnnoCerv photographs

Two Markdown tables are printed: distances of each kind of copy to its photograph, and of photographs of different
patients to each other. AnnoCerv holds some files under two patients; those two count as one.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.shared import print_heading, print_row
from colpo_core.datasets.patient_groups import group_by_shared_image
from colpo_core.exchange.annocerv import read_annocerv
from colpo_core.images.decoding import decode_image, encode_clean
from colpo_core.images.perceptual import FINGERPRINT_DIGITS, HASH_BITS, NEAR_COPY_DISTANCE, near_pairs, perceptual_hash
from colpo_core.simulation.cases import simulate_case
from tests.support.copies import further_copies, harder_copies, mild_copies

N_SIMULATED = 120
FIRST_SEED = 5000
SHARES = (0, 0.01, 0.1, 1, 50)


def photographs(collection: str | None) -> Iterator[tuple[int, str, NDArray[np.uint8]]]:
    """Number of the patient, hash of the file, H x W x 3 uint8."""
    if collection is None:
        for number in range(N_SIMULATED):
            yield number, str(number), simulate_case(FIRST_SEED + number).rgb
        return
    for number, case in enumerate(read_annocerv(Path(collection))):
        for source in case.images:
            image = decode_image(source.load())
            yield number, encode_clean(image).sha256, image.rgb


def main() -> None:
    collection = sys.argv[1] if len(sys.argv) > 1 else None
    patients: list[int] = []
    files: list[str] = []
    hashes: list[str] = []
    of_copies: dict[str, list[int]] = {}
    for patient, file, rgb in photographs(collection):
        own = perceptual_hash(rgb)
        patients.append(patient)
        files.append(file)
        hashes.append(own)
        for name, copy in (mild_copies(rgb) | further_copies(rgb) | harder_copies(rgb)).items():
            ((_, _, distance),) = near_pairs([own, perceptual_hash(copy)], max_distance=HASH_BITS)
            of_copies.setdefault(name, []).append(distance)
    kin = group_by_shared_image(zip(patients, files, strict=True))
    heads = [kin[patient] for patient in patients]
    pairs = near_pairs(hashes, max_distance=HASH_BITS)
    apart = np.array([distance for first, second, distance in pairs if heads[first] != heads[second]])
    print(f"{len(hashes)} photographs of {len(set(heads))} patients; threshold {NEAR_COPY_DISTANCE}\n")
    print_heading("copy", "median", "99%", "max", "found")
    for name, distances in of_copies.items():
        median, most = np.percentile(distances, (50, 99))
        share = np.mean(np.array(distances) <= NEAR_COPY_DISTANCE)
        print_row(name, f"{median:.0f}", f"{most:.0f}", max(distances), f"{share:.1%}")
    print()
    print_heading("pairs of different patients", "min", "0.01%", "0.1%", "1%", "median", "taken for copies")
    cells = (f"{value:.0f}" for value in np.percentile(apart, SHARES))
    print_row(len(apart), *cells, np.count_nonzero(apart <= NEAR_COPY_DISTANCE))
    many = [np.random.default_rng(number).bytes(FINGERPRINT_DIGITS // 2).hex() for number in range(5000)]
    start = time.perf_counter()
    near_pairs(many)
    print(f"\n5,000 hashes against each other: {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
