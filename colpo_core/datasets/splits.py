"""Patients onto sides or into folds: a patient whole in one place, every stratum in every place where possible."""

import hashlib
import math
from collections.abc import Iterable, Mapping

import numpy as np

from colpo_core.datasets.manifest import ManifestItem
from colpo_core.errors import InputRejected
from colpo_core.terms import Label, Split

DEFAULT_FRACTIONS = (0.70, 0.15, 0.15)
# Where a stratum is too small for all sides: learning first, then the figure that counts, then the choice of epoch.
_FIRST_SERVED = (Split.TRAIN, Split.TEST, Split.VALIDATION)


def patient_stratum(labels: Iterable[Label | None], *, has_mask: bool) -> str:
    """The stratum of one patient: her most severe label, and whether any of her images has a mask.

    Args:
        labels: Label of each of her cases, None where a case has none.
        has_mask: Whether any of her images has a mask that training may use.
    """
    present = set(labels)
    label = next((label for label in (Label.HSIL, Label.NORMAL) if label in present), None)
    return f"{label or 'unlabelled'}, {'with' if has_mask else 'without'} mask"


def strata_of(items: Iterable[ManifestItem], heads: Mapping[int, int] | None = None) -> dict[int, str]:
    """Stratum of each patient of a manifest's items.

    Args:
        items: Images with their labels and masks.
        heads: Head of each patient's group, see `group_by_shared_image`; every patient by themselves when None.

    Returns:
        Stratum by the row of the patient, or of the head of her group.
    """
    labels: dict[int, list[Label | None]] = {}
    masked: set[int] = set()
    for item in items:
        head = item.patient_id if heads is None else heads[item.patient_id]
        labels.setdefault(head, []).append(item.label)
        if item.mask_sha256 is not None:
            masked.add(head)
    return {
        patient_id: patient_stratum(of_patient, has_mask=patient_id in masked)
        for patient_id, of_patient in labels.items()
    }


def split_patients(
    groups: Mapping[int, str], *, fractions: tuple[float, float, float] = DEFAULT_FRACTIONS, seed: int = 0
) -> dict[int, Split]:
    """Draw a side for every patient, stratified by label first, and within a label by mask.

    The draw depends on the seed and on what is given, not on the order in which it is given. A label of at least as
    many patients as there are sides wished for stands on each of them, however few of them have a mask; so does a
    stratum within it where the label's seats allow. A smaller label serves training first, then the test. With three
    patients or more no side wished for is empty.

    Args:
        groups: Stratum of each patient by her row, as `strata_of` names it: what stands before the comma is the label.
        fractions: Shares of train, validation and test; they sum to 1. Validation or test may be 0.
        seed: Seed of the draw.

    Returns:
        Side of each patient.

    Raises:
        InputRejected: The fractions do not make sense, or there is no patient.
    """
    shares = _check_fractions(fractions)
    if not groups:
        raise InputRejected("There is no patient to split. Import and label cases first.")
    sides: dict[int, Split] = {}
    taken = dict.fromkeys(Split, 0)
    strata = _by_stratum(groups)
    by_label: dict[str, list[str]] = {}
    for name in strata:
        by_label.setdefault(name.partition(",")[0], []).append(name)
    counts = {label: sum(len(strata[name]) for name in names) for label, names in by_label.items()}
    for label in sorted(by_label, key=lambda label: (counts[label], label)):
        of_label = _seats(counts[label], shares, taken)
        for name, seats in _divided(of_label, {name: len(strata[name]) for name in by_label[label]}).items():
            order = _shuffled(strata[name], name, seed)
            for split in Split:
                for patient_id in order[: seats[split]]:
                    sides[patient_id] = split
                order = order[seats[split] :]
        for split in Split:
            taken[split] += of_label[split]
    _fill_empty_sides(sides, shares, groups, seed)
    return dict(sorted(sides.items()))


def fold_patients(groups: Mapping[int, str], *, folds: int, seed: int) -> dict[int, int]:
    """Draw a fold for every patient, stratified: folds differ by one patient at most, in all and in each stratum.

    The draw depends on the seed and on what is given, not on the order in which it is given.

    Args:
        groups: Stratum of each patient (or of the head of her group) by her row.
        folds: How many folds, at least 2.
        seed: Seed of the draw.

    Returns:
        Fold of each patient, from 0.

    Raises:
        InputRejected: There are fewer patients than folds, or fewer than two folds.
    """
    if folds < 2:
        raise InputRejected("Patients are divided into at least 2 folds.")
    if len(groups) < folds:
        raise InputRejected(
            f"{len(groups)} patients who share no image cannot be divided into {folds} folds. Choose fewer folds, or "
            "add patients."
        )
    fold_by_patient: dict[int, int] = {}
    for name, patients in _by_stratum(groups).items():
        # Each stratum begins at the fold at which the one before it ended, so that no fold gets all that is left over.
        for patient_id in _shuffled(patients, name, seed):
            fold_by_patient[patient_id] = len(fold_by_patient) % folds
    return dict(sorted(fold_by_patient.items()))


def _by_stratum(groups: Mapping[int, str]) -> dict[str, list[int]]:
    """Patients of each stratum by rising row, the smallest stratum first."""
    strata: dict[str, list[int]] = {}
    for patient_id in sorted(groups):
        strata.setdefault(groups[patient_id], []).append(patient_id)
    return dict(sorted(strata.items(), key=lambda stratum: (len(stratum[1]), stratum[0])))


def _check_fractions(fractions: tuple[float, float, float]) -> dict[Split, float]:
    fit = len(fractions) == 3 and all(math.isfinite(share) and share >= 0 for share in fractions)
    if not fit or abs(sum(fractions) - 1) > 1e-6 or fractions[0] == 0:
        raise InputRejected(
            "The shares of train, validation and test must be three numbers that sum to 1, with train above 0."
        )
    return {split: float(share) for split, share in zip(Split, fractions, strict=True)}


def _seats(count: int, shares: dict[Split, float], taken: dict[Split, int]) -> dict[Split, int]:
    """How many of a stratum's patients go to each side: one each where that is possible, the rest by the shares."""
    wished = [split for split in _FIRST_SERVED if shares[split] > 0]
    seats = dict.fromkeys(Split, 0)
    for split in wished[:count]:
        seats[split] = 1
    everyone = count + sum(taken.values())
    for _ in range(count - sum(seats.values())):
        # The stratum's own lack decides; what the other strata left short decides between equals.
        lacks = {
            split: (round(shares[split] * count - seats[split], 9), shares[split] * everyone - taken[split])
            for split in wished
        }
        seats[max(wished, key=lambda split: lacks[split])] += 1
    return seats


def _divided(seats: dict[Split, int], sizes: Mapping[str, int]) -> dict[str, dict[Split, int]]:
    """A label's seats among its strata: one each where there are any, the rest in proportion.

    Args:
        seats: The label's, which sum to what the sizes sum to.
        sizes: Patients of each stratum, the smallest first.
    """
    left = dict(seats)
    divided = {}
    for name, size in sizes.items():
        everyone = sum(left.values())
        given = dict.fromkeys(Split, 0)
        for split in [split for split in _FIRST_SERVED if left[split]][:size]:
            given[split] = 1
        for _ in range(size - sum(given.values())):
            free = [split for split in _FIRST_SERVED if given[split] < left[split]]
            given[max(free, key=lambda split: round(left[split] * size / everyone - given[split], 9))] += 1
        left = {split: left[split] - given[split] for split in Split}
        divided[name] = given
    return divided


def _shuffled(patients: list[int], stratum: str, seed: int) -> list[int]:
    # The stratum's name is part of the seed, so that a patient more in one stratum does not reshuffle another.
    word = int.from_bytes(hashlib.sha256(stratum.encode()).digest()[:8], "big")
    generator = np.random.default_rng([abs(seed), int(seed < 0), word])
    return [patients[index] for index in generator.permutation(len(patients))]


def _fill_empty_sides(
    sides: dict[int, Split], shares: dict[Split, float], groups: Mapping[int, str], seed: int
) -> None:
    """Give a side that only tiny strata left empty a patient of the fullest stratum in train."""
    for split in (Split.TEST, Split.VALIDATION):
        training = [patient_id for patient_id, side in sides.items() if side is Split.TRAIN]
        if shares[split] == 0 or split in sides.values() or len(training) < 2:
            continue
        by_stratum: dict[str, list[int]] = {}
        for patient_id in sorted(training):
            by_stratum.setdefault(groups[patient_id], []).append(patient_id)
        fullest = max(sorted(by_stratum), key=lambda name: len(by_stratum[name]))
        sides[_shuffled(by_stratum[fullest], fullest, seed)[0]] = split
