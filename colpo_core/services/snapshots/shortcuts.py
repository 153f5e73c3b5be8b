"""Shortcuts in a snapshot: whether its labels can be told from the device, a frame or the month alone.

Looked for when a snapshot is previewed and frozen, and again before a promotion, because what is recorded of a case may
have been corrected since. An answer is kept with the snapshot under a key of all that it rests on.
"""

import hashlib
import json
from collections import Counter, OrderedDict
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from colpo_core.datasets.manifest import Manifest, ManifestItem
from colpo_core.errors import NotFound
from colpo_core.evaluation.shortcuts import FEWEST_PATIENTS, draw_patients, find_shortcuts
from colpo_core.images.surroundings import SURROUNDINGS_VERSION, Aspect
from colpo_core.records.snapshots.shortcuts import ShortcutReport
from colpo_core.records.typed_json import to_values
from colpo_core.services.snapshots.rows import stored_shortcuts
from colpo_core.services.snapshots.surroundings import fill_surroundings, find_surroundings
from colpo_core.store import Store
from colpo_core.store.tables import Case, Snapshot
from colpo_core.terms import Label

METHOD_VERSION = 1
"""Goes up with every change of how shortcuts are looked for."""
PREVIEW_IMAGES = 150
"""So many images a preview on a page measures at a time."""
_IMAGES_A_CASE = 2
_NOT_RECORDED = "not recorded"
_SHOWN = 4
_KEPT = 16
_answers: OrderedDict[str, ShortcutReport] = OrderedDict()


@dataclass(frozen=True)
class _CaseRow:
    """A labelled case that takes part in the search."""

    case_id: int
    patient_id: int
    label: Label
    device: str
    day: date | None
    items: tuple[ManifestItem, ...]


def search_shortcuts(store: Store, manifest: Manifest, *, at_most: int | None = None) -> ShortcutReport:
    """Look for shortcuts in what a manifest holds.

    Args:
        store: The open store.
        manifest: What is or would be frozen; the split does not matter.
        at_most: How many images are measured now, where they have not been yet; all that are needed when None. Where
            some are left, the clues in the images are not tried, and the report says so.
    """
    cases = _cases(store, manifest)
    few = _too_few(cases)
    if few:
        return ShortcutReport(unchecked=(few,), n_patients=len({case.patient_id for case in cases}))
    key = _key(cases)
    if key in _answers:
        return _answers[key]
    drawn = draw_patients([case.label for case in cases], [case.patient_id for case in cases])
    looked_at = [case for case in cases if case.patient_id in drawn]
    clues: dict[str, npt.ArrayLike] = {
        "device": _one_hot([case.device for case in looked_at]),
        "size": [_size(case) for case in looked_at],
        "day": [_day(case.day) for case in looked_at],
        "images": [len(case.items) for case in looked_at],
        "simulated": [float(np.mean([item.simulated for item in case.items])) for case in looked_at],
    }
    seen, missing = _in_the_images(store, looked_at, at_most)
    clues |= seen
    judged = find_shortcuts([case.label for case in looked_at], [case.patient_id for case in looked_at], clues)
    report = ShortcutReport(
        clues=judged,
        details=tuple((clue.clue, _detail(clue.clue, looked_at)) for clue in judged if clue.accused),
        unchecked=(*missing, *_not_recorded(looked_at)),
        n_patients=len(drawn),
    )
    if not missing:
        _answers[key] = report
        while len(_answers) > _KEPT:
            _answers.popitem(last=False)
    return report


def snapshot_shortcuts(store: Store, snapshot_id: int, manifest: Manifest) -> ShortcutReport:
    """Shortcuts in a frozen snapshot: what is kept with it, or found anew where that no longer holds."""
    key = _key(_cases(store, manifest))
    with store.reading() as session:
        stored = session.get_one(Snapshot, snapshot_id).shortcuts
    if stored is not None and stored["key"] == key:
        return stored_shortcuts(stored)
    report = search_shortcuts(store, manifest)
    with store.writing() as session:
        session.get_one(Snapshot, snapshot_id).shortcuts = {"key": key} | to_values(report)
    return report


def _cases(store: Store, manifest: Manifest) -> list[_CaseRow]:
    items: dict[int, list[ManifestItem]] = {}
    for item in manifest.items:
        if item.label is not None:
            items.setdefault(item.case_id, []).append(item)
    with store.reading() as session:
        recorded = {
            case_id: (device, day)
            for case_id, device, day in session.execute(select(Case.id, Case.device, Case.case_date))
            if case_id in items
        }
    rows = []
    for case_id, images in sorted(items.items()):
        device, day = recorded.get(case_id, (None, None))
        name = " ".join((device or "").split()) or _NOT_RECORDED
        label = images[0].label
        if label is not None:
            rows.append(_CaseRow(case_id, images[0].patient_id, label, name, day, tuple(images)))
    return rows


def _too_few(cases: list[_CaseRow]) -> str:
    patients = {label: len({case.patient_id for case in cases if case.label is label}) for label in Label}
    if min(patients.values()) >= FEWEST_PATIENTS:
        return ""
    counted = " and ".join(f"{number} labelled {label.value}" for label, number in patients.items())
    return (
        f"Whether the label can be told from the device, the day, a frame or marks: there are {counted}, and at least "
        f"{FEWEST_PATIENTS} patients of each are needed."
    )


def _key(cases: list[_CaseRow]) -> str:
    rows = [
        (
            (case.case_id, case.patient_id, case.label.value, case.device, str(case.day)),
            [(item.image_id, item.image_sha256, item.simulated) for item in case.items],
        )
        for case in cases
    ]
    versions = (METHOD_VERSION, SURROUNDINGS_VERSION)
    return hashlib.sha256(json.dumps([versions, rows]).encode()).hexdigest()


def _in_the_images(
    store: Store, cases: list[_CaseRow], at_most: int | None
) -> tuple[dict[str, npt.ArrayLike], tuple[str, ...]]:
    """Means of each aspect over the first images of each case; or nothing, and why not."""
    chosen = [sorted(case.items, key=lambda item: item.image_id)[:_IMAGES_A_CASE] for case in cases]
    files = {item.image_id: item.image_sha256 for items in chosen for item in items}
    words = "Whether the label can be told from a frame, from marks, or from light, colour and sharpness of the corners"
    try:
        left = fill_surroundings(store, files, at_most=at_most)
    except NotFound as error:
        return {}, (f"{words}. {error}",)
    if left:
        return {}, (f"{words}: {left} images are not measured yet. Freezing measures them.",)
    with store.reading() as session:
        measured = find_surroundings(session, files.keys())
    return {
        aspect.value: np.stack(
            [np.mean([measured[item.image_id].figures[aspect] for item in items], axis=0) for items in chosen]
        )
        for aspect in Aspect
    }, ()


def _one_hot(names: list[str]) -> npt.NDArray[np.float64]:
    folded = [name.casefold() for name in names]
    return np.array([[name == other for other in sorted(set(folded))] for name in folded], np.float64)


def _size(case: _CaseRow) -> list[float]:
    sizes = np.array([(item.width_px, item.height_px, item.width_px / item.height_px) for item in case.items])
    return [float(value) for value in sizes.mean(axis=0)]


def _day(day: date | None) -> list[float]:
    months = [float(day is not None and day.month == month) for month in range(1, 13)]
    # A day that is not known lies before all others: a column of its own says which ones these are.
    return [float(day is not None), float(day.toordinal() if day else 0), *months]


def _not_recorded(cases: list[_CaseRow]) -> tuple[str, ...]:
    said = []
    if all(case.device == _NOT_RECORDED for case in cases):
        said.append("Whether the label can be told from the device: none is recorded.")
    if all(case.day is None for case in cases):
        said.append("Whether the label can be told from the month: no day of an examination is recorded.")
    return tuple(said)


def _detail(clue: str, cases: list[_CaseRow]) -> str:
    """How the labels are spread over the commonest values of a clue that has values to name."""
    if clue == "device":
        named = [case.device for case in cases]
    elif clue == "size":
        named = [f"{case.items[0].width_px} x {case.items[0].height_px}" for case in cases]
    elif clue == "simulated":
        named = ["simulated" if case.items[0].simulated else "photographs" for case in cases]
    else:
        return ""
    counted = Counter(named)
    hsil = Counter(name for name, case in zip(named, cases, strict=True) if case.label is Label.HSIL)
    said = [f"{hsil[name]} of {number} with {name}" for name, number in counted.most_common(_SHOWN)]
    return f"Cases labelled hsil: {', '.join(said)}."
