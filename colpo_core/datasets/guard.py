"""The guard against leakage: no patient and no image on two sides of a split, nor a near copy of one.

Source: Kim et al. 2022 augmented before they split, so copies of one photograph stood on both sides; this is where the
program refuses that.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from colpo_core.datasets.manifest import Manifest, ManifestItem
from colpo_core.errors import LeakageFound
from colpo_core.images.perceptual import HASH_BITS, near_pairs
from colpo_core.terms import Split

SHOWN = 5


class LeakKind(StrEnum):
    """What stands on two sides."""

    PATIENT = "patient"
    CASE = "case"
    SAME_FILE = "same file"
    NEAR_COPY = "near copy"


@dataclass(frozen=True)
class Leak:
    """Something that stands on two sides of a split.

    Attributes:
        kind: What it is.
        first_id: Row of the patient, of the case, or of the pair's first image.
        second_id: Row of the pair's second image; `first_id` again for a patient or a case.
        sides: For a patient or a case the sides on which it stands; for a pair the first image's and the second's.
        distance: Bits in which a near copy's perceptual hash differs, of 256; None for all else.
    """

    kind: LeakKind
    first_id: int
    second_id: int
    sides: tuple[Split, ...]
    distance: int | None = None

    def __str__(self) -> str:
        """What leaks, without any patient data."""
        if self.kind in (LeakKind.PATIENT, LeakKind.CASE):
            return f"{self.kind} {self.first_id} stands in {' and in '.join(self.sides)}"
        first, second = (
            f"image {image_id} in {side}"
            for image_id, side in zip((self.first_id, self.second_id), self.sides, strict=True)
        )
        if self.kind is LeakKind.SAME_FILE:
            return f"{first} is the same file as {second}"
        return f"{first} is a near copy of {second} ({self.distance} of {HASH_BITS} bits differ)"


def check_leakage(manifest: Manifest, fingerprints: Mapping[int, str] | None = None) -> None:
    """Refuse a manifest in which one patient, case, image file or near copy stands on two sides.

    Args:
        manifest: What is to be trained on.
        fingerprints: Perceptual hash of each image by its row; without them near copies are not looked for.

    Raises:
        LeakageFound: It does; the message names who stands where, and how many more there are.
    """
    found_leaks = leaks(manifest, fingerprints)
    if not found_leaks:
        return
    more = f"; and {len(found_leaks) - SHOWN} more" if len(found_leaks) > SHOWN else ""
    raise LeakageFound(
        f"The split leaks, so its figures would flatter the model: {'; '.join(map(str, found_leaks[:SHOWN]))}{more}. "
        "Put each patient on one side, mark one of two equal images as not to be used, and freeze the snapshot again."
    )


def leaks(manifest: Manifest, fingerprints: Mapping[int, str] | None = None) -> list[Leak]:
    """Find all that stands on two sides: patients first, then cases, files and near copies.

    Near copies within one patient are usual, and are left to the check of patients.

    Args:
        manifest: What is to be trained on.
        fingerprints: Perceptual hash of each image by its row; images without one are not compared.
    """
    return [
        *_on_two_sides(manifest, LeakKind.PATIENT, lambda item: item.patient_id),
        *_on_two_sides(manifest, LeakKind.CASE, lambda item: item.case_id),
        *_same_file(manifest),
        *_near_copies(manifest, fingerprints or {}),
    ]


def _on_two_sides(manifest: Manifest, kind: LeakKind, key: Callable[[ManifestItem], int]) -> list[Leak]:
    sides: dict[int, set[Split]] = {}
    for item in manifest.items:
        sides.setdefault(key(item), set()).add(item.split)
    return [
        Leak(kind, row_id, row_id, tuple(split for split in Split if split in splits))
        for row_id, splits in sides.items()
        if len(splits) > 1
    ]


def _same_file(manifest: Manifest) -> list[Leak]:
    """Pairs of images that are the same file on two sides; the same file under another patient leaks as well."""
    first: dict[str, ManifestItem] = {}
    copies = []
    for item in manifest.items:
        other = first.setdefault(item.image_sha256, item)
        if other.split is not item.split:
            copies.append(Leak(LeakKind.SAME_FILE, other.image_id, item.image_id, (other.split, item.split)))
    return copies


def _near_copies(manifest: Manifest, fingerprints: Mapping[int, str]) -> list[Leak]:
    known = [item for item in manifest.items if item.image_id in fingerprints]
    pairs = near_pairs([fingerprints[item.image_id] for item in known])
    copies = []
    for first_index, second_index, distance in pairs:
        first, second = known[first_index], known[second_index]
        is_reported = first.patient_id == second.patient_id or first.image_sha256 == second.image_sha256
        if first.split is not second.split and not is_reported:
            sides = (first.split, second.split)
            copies.append(Leak(LeakKind.NEAR_COPY, first.image_id, second.image_id, sides, distance))
    return copies
