"""Shortcuts: whether the label can be told from something that has nothing to do with the cervix.

Each clue (the device, the size of the images, their border ...) is given by itself to a small classifier, which is
judged on patients that it did not learn from. Where the area under the ROC curve lies above one half, a network may
have learned the clue in place of the lesion.

In a small sample a chance relation stands in all folds of a cross-validation alike, so areas scatter far more than
those of scores from outside. What chance alone would give is therefore found by permutation: the same is done many
times over with labels dealt out anew.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.stats import norm, rankdata

from colpo_core.records.snapshots.shortcuts import ClueFigures
from colpo_core.terms import Label

FEWEST_PATIENTS = 8
"""With fewer patients a label, even a clue that tells them all apart is hardly more than chance."""
MOST_PATIENTS = 600
"""More are not looked at: so many find every clue that matters, and the time stays bounded."""
ACCUSED_AT = 0.01
"""Chance that any clue at all is accused where none tells the label."""
_SEED = 0
_PERMUTATIONS = 499
_CONFIDENCE = 0.95
_FOLDS = 5
_MANY_FIGURES = 400
_BEST_FIGURES = 6
_RIDGE = 0.1

_Floats = npt.NDArray[np.float64]


def draw_patients(labels: Sequence[Label], patients: Sequence[int]) -> frozenset[int]:
    """The patients that are looked at: all, or `MOST_PATIENTS` of them by chance, half of each label if possible."""
    hsil = {patient for patient, label in zip(patients, labels, strict=True) if label is Label.HSIL}
    normal = set(patients) - hsil
    if len(hsil) + len(normal) <= MOST_PATIENTS:
        return frozenset(hsil | normal)
    rng = np.random.default_rng(_SEED)
    n_hsil = min(len(hsil), max(MOST_PATIENTS // 2, MOST_PATIENTS - len(normal)))
    drawn = [rng.choice(sorted(some), n, replace=False)
             for some, n in ((hsil, n_hsil), (normal, MOST_PATIENTS - n_hsil))]  # fmt: skip
    return frozenset(int(patient) for some in drawn for patient in some)


def find_shortcuts(
    labels: Sequence[Label], patients: Sequence[int], clues: Mapping[str, npt.ArrayLike]
) -> tuple[ClueFigures, ...]:
    """Try to tell the label from each clue by itself.

    One row is one patient with one label (her cases of that label together), so that rows are independent. The
    classifier is linear in ranks and cross-validated by patients. The interval is Newcombe's, widened by how much more
    the area scatters in the permutations than that of scores from outside; p is of the largest standardised area among
    all clues.

    Args:
        labels: Label of each case.
        patients: Patient of each case.
        clues: By name, numbers of shape (cases,) or (cases, figures).

    Returns:
        One a clue, in the order given.

    Raises:
        ValueError: The lengths differ, or a label has fewer than `FEWEST_PATIENTS` patients.

    Source: Westfall and Young 1993 for the largest statistic of permutations; Newcombe 2006, part 2, method 5, for the
    interval; Ojala and Garriga 2010 for permutations of a cross-validated classifier.
    """
    is_hsil, groups, rows = _merge(labels, patients)
    n_hsil, n_normal = int(is_hsil.sum()), int((~is_hsil).sum())
    if min(n_hsil, n_normal) < FEWEST_PATIENTS:
        raise ValueError(f"a label has fewer than {FEWEST_PATIENTS} patients")
    tables = {name: _by_rows(values, rows) for name, values in clues.items()}
    telling = {name: table for name, table in tables.items() if (table != table[0]).any()}
    rng = np.random.default_rng(_SEED)
    dealt = np.stack([is_hsil, *(rng.permutation(is_hsil) for _ in range(_PERMUTATIONS))], axis=1)
    # Here, because it takes half a second to import, and every page and command comes by this file.
    from sklearn.model_selection import GroupKFold

    folds = list(GroupKFold(_FOLDS, shuffle=True, random_state=_SEED).split(groups, groups=groups))
    areas = {name: _held_out_areas(table, dealt, folds) for name, table in telling.items()}
    chance = {name: (float(of_clue[1:].mean()), float(of_clue[1:].std())) for name, of_clue in areas.items()}
    standard = {name: (of_clue - chance[name][0]) / max(chance[name][1], 1e-9) for name, of_clue in areas.items()}
    largest = np.max([of_clue[1:] for of_clue in standard.values()], axis=0) if standard else np.zeros(_PERMUTATIONS)
    nominal = math.sqrt((n_hsil + n_normal + 1) / (12 * n_hsil * n_normal))
    figures = []
    for name in clues:
        if name not in telling:
            figures.append(ClueFigures(name, None, None, None, None, accused=False))
            continue
        area = float(areas[name][0])
        p = (1 + int((largest >= standard[name][0]).sum())) / (1 + _PERMUTATIONS)
        wider = max(1.0, chance[name][1] / nominal)
        low, high = area_bounds(area, n_hsil, n_normal, confidence=_CONFIDENCE, wider=wider)
        figures.append(ClueFigures(name, area, low, high, p, accused=p <= ACCUSED_AT and low > 0.5))
    return tuple(figures)


def _merge(
    labels: Sequence[Label], patients: Sequence[int]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Whether each row is HSIL, the patient of each row, and the row of each case."""
    if len(labels) != len(patients):
        raise ValueError(f"{len(labels)} labels, but {len(patients)} patients")
    keys = [(patient, label is Label.HSIL) for patient, label in zip(patients, labels, strict=True)]
    places = {key: index for index, key in enumerate(sorted(set(keys)))}
    is_hsil = np.array([hsil for _, hsil in places], np.bool_)
    return is_hsil, np.array([patient for patient, _ in places], np.int64), np.array([places[key] for key in keys])


def _by_rows(values: npt.ArrayLike, rows: npt.NDArray[np.int64]) -> _Floats:
    table = np.asarray(values, np.float64)
    table = table[:, None] if table.ndim == 1 else table
    if len(table) != len(rows):
        raise ValueError(f"{len(table)} rows of a clue, but {len(rows)} cases")
    total = np.zeros((int(rows.max()) + 1, table.shape[1]))
    np.add.at(total, rows, table)
    return np.asarray(total / np.bincount(rows)[:, None])


def _held_out_areas(
    table: _Floats, dealt: npt.NDArray[np.bool_], folds: Sequence[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]
) -> _Floats:
    """Area of the scores of rows that were not learned from, one for each way in which the labels are dealt."""
    ranks = _spread(table)
    few = ranks.shape[1] <= _MANY_FIGURES
    scores = np.zeros(dealt.shape, np.float32)
    for learn, held_out in folds:
        seen = ranks[learn]
        target = (dealt[learn] - dealt[learn].mean(axis=0)).astype(np.float32)
        weights = _ridge(seen, target) if few else _best_alone(seen, target)
        scores[held_out] = (ranks[held_out] - seen.mean(axis=0)) @ weights
    ranked = rankdata(scores.round(6), axis=0)
    n_hsil = dealt.sum(axis=0)
    above = np.where(dealt, ranked, 0).sum(axis=0) / n_hsil
    return np.asarray((above - (n_hsil + 1) / 2) / (len(dealt) - n_hsil))


def _spread(table: _Floats) -> npt.NDArray[np.float32]:
    """Ranks from -1 to 1, and, of what has more than two values, how far each lies from the middle."""
    table = table[:, (table != table[0]).any(axis=0)]
    ranks = 2 * (rankdata(table, axis=0) - 0.5) / len(table) - 1
    has_many = np.array([len(np.unique(column)) > 2 for column in table.T])
    beside = np.abs(ranks[:, has_many]) if table.shape[1] <= _MANY_FIGURES else ranks[:, :0]
    whole = np.concatenate([ranks, beside], axis=1)
    return np.asarray((whole - whole.mean(axis=0)) / np.maximum(whole.std(axis=0), 1e-6), np.float32)


def _ridge(seen: npt.NDArray[np.float32], target: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    centred = seen - seen.mean(axis=0)
    gram = centred.T @ centred + _RIDGE * len(seen) * np.eye(seen.shape[1], dtype=np.float32)
    return np.asarray(np.linalg.solve(gram, centred.T @ target), np.float32)


def _best_alone(seen: npt.NDArray[np.float32], target: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Of very many figures the few that go with the label most, each by itself."""
    together = (seen - seen.mean(axis=0)).T @ target
    least = -np.partition(-np.abs(together), _BEST_FIGURES - 1, axis=0)[_BEST_FIGURES - 1]
    return np.where(np.abs(together) >= least, together, 0)


def area_bounds(
    area: float, n_hsil: int, n_normal: int, *, confidence: float, wider: float = 1.0
) -> tuple[float, float]:
    """An interval of an area under the ROC curve of independent rows, which stays in [0, 1].

    Args:
        area: The area.
        n_hsil: How many are HSIL.
        n_normal: How many are normal.
        confidence: Such as 0.95.
        wider: How many times the standard error is that of scores from outside.

    Source: Newcombe 2006, "Confidence intervals for an effect size measure based on the Mann-Whitney statistic",
    part 2, method 5.
    """
    z = wider * float(norm.ppf((1 + confidence) / 2))
    half = (n_hsil + n_normal) / 2 - 1

    def beyond(theta: float) -> float:
        spread = theta * (1 - theta) * (1 + half * (1 - theta) / (2 - theta) + half * theta / (1 + theta))
        return abs(area - theta) - z * math.sqrt(max(0.0, spread) / (n_hsil * n_normal))

    # At the area itself `beyond` is negative, or 0 where the area is 0 or 1: then the bound is sought a little inside.
    low = 0.0 if area <= 0 else float(brentq(beyond, 0.0, area - 1e-9 if area >= 1 else area))
    high = 1.0 if area >= 1 else float(brentq(beyond, area + 1e-9 if area <= 0 else area, 1.0))
    return low, high
