from collections.abc import Callable
from datetime import date, timedelta

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import delete, select

from colpo_core.records.snapshots.shortcuts import CLUES, ShortcutReport
from colpo_core.records.snapshots.snapshots import SnapshotQuery
from colpo_core.services.common.callers import Caller
from colpo_core.services.snapshots import freezing, shortcuts, surroundings
from colpo_core.store import Store
from colpo_core.store.tables import Case, Image, ImageSurroundings, Snapshot
from colpo_core.terms import Grade, Split
from tests.support import store_rows
from tests.support.clinic import SIDE_PX, Clinic, draw
from tests.support.snapshots import manifest_of
from tests.support.store_rows import change_all

N_CASES = 40
Change = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]


def dotted(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.circle(rgb.copy(), (58, 5), 2, (250, 250, 250), -1), np.uint8)


def framed(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    found = np.zeros_like(rgb)
    found[2:-2, 2:-2] = rgb[2:-2, 2:-2]
    return found


def as_it_is(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return rgb


def plant(store: Store, *, hsil: Change = as_it_is, n_cases: int = N_CASES) -> None:
    """Half of the cases are HSIL, and something that has nothing to do with the cervix is done to their images."""
    clinic = Clinic(store)
    for number in range(n_cases):
        is_hsil = number % 2 == 1
        rgb, _ = draw(number + 1, lesion=is_hsil)
        clinic.add_case(
            grades=(Grade.CIN2,) if is_hsil else (Grade.NORMAL,),
            case_date=date(2024, 1, 1) + timedelta(days=9 * number),
            photograph=hsil(rgb) if is_hsil else rgb,
        )


def name_devices(store: Store, device: Callable[[int], str | None]) -> None:
    with store.writing() as session:
        for case in session.scalars(select(Case)):
            case.device = device(case.id)


def look(annotator: Caller) -> ShortcutReport:
    return freezing.preview_snapshot(annotator, query=SnapshotQuery("s")).shortcuts


def accused(report: ShortcutReport) -> set[str]:
    return {one.clue for one in report.clues if one.accused}


@pytest.mark.parametrize(("change", "clue"), [(dotted, "marks"), (framed, "border")])
def test_what_is_planted_in_the_images_is_named_before_the_freezing(
    store: Store, annotator: Caller, change: Change, clue: str
) -> None:
    plant(store, hsil=change)
    report = look(annotator)
    assert clue in accused(report)
    assert any(f"can be told from {CLUES[clue]} alone: AUC" in doubt for doubt in report.doubts)


def test_a_device_that_goes_with_the_label_is_named_with_its_counts(store: Store, annotator: Caller) -> None:
    plant(store)
    name_devices(store, lambda case_id: "Leisegang" if case_id % 2 else " old  one ")
    report = look(annotator)
    assert accused(report) == {"device"}
    (doubt,) = report.doubts
    assert "The label can be told from the recorded device alone: AUC 1.00 (" in doubt
    assert "where 0.50 is chance" in doubt
    assert doubt.endswith("Cases labelled hsil: 0 of 20 with Leisegang, 20 of 20 with old one.")


def test_a_season_that_goes_with_the_label_is_named(store: Store, annotator: Caller) -> None:
    plant(store)
    with store.writing() as session:
        for case in session.scalars(select(Case)):
            case.case_date = date(2024, 3 if case.id % 2 else 9, case.id % 28 + 1)
    assert accused(look(annotator)) == {"day"}


def test_a_clean_store_is_not_accused_though_its_lesions_can_be_seen(store: Store, annotator: Caller) -> None:
    plant(store)
    name_devices(store, lambda case_id: "one" if case_id % 3 else "two")
    report = look(annotator)
    assert report.doubts == ()
    assert report.unchecked == ()
    assert report.nothing_found.startswith(
        "Looked for shortcuts in 40 patients: the label cannot be told from the recorded"
    )


def test_what_cannot_be_looked_at_is_said(store: Store, annotator: Caller) -> None:
    plant(store, n_cases=10)
    report = look(annotator)
    assert report.clues == ()
    assert report.nothing_found == ""
    (sentence,) = report.unchecked
    assert sentence.endswith(
        "there are 5 labelled normal and 5 labelled hsil, and at least 8 patients of each are needed."
    )


def test_nothing_recorded_is_said_and_no_clue(store: Store, annotator: Caller) -> None:
    plant(store)
    change_all(store, Case, case_date=None)
    assert look(annotator).unchecked == (
        "Whether the label can be told from the device: none is recorded.",
        "Whether the label can be told from the month: no day of an examination is recorded.",
    )


def test_a_preview_measures_some_images_at_a_time_and_says_what_is_left(store: Store, annotator: Caller) -> None:
    plant(store, hsil=framed)
    name_devices(store, lambda case_id: "one" if case_id % 3 else "two")

    def some() -> ShortcutReport:
        return freezing.preview_snapshot(annotator, query=SnapshotQuery("s"), measure_at_most=25).shortcuts

    first = some()
    assert first.unchecked == (
        "Whether the label can be told from a frame, from marks, or from light, colour and sharpness of the corners: "
        "15 images are not measured yet. Freezing measures them.",
    )
    assert "border" not in {one.clue for one in first.clues}
    assert "border" in accused(some())


def test_each_image_is_measured_once(store: Store, annotator: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(store)
    first = look(annotator)
    shortcuts._answers.clear()
    monkeypatch.setattr(surroundings, "read_rgb", None)
    assert look(annotator) == first


def test_a_lost_file_is_said_and_stops_nothing_else(store: Store, annotator: Caller) -> None:
    plant(store)
    name_devices(store, lambda case_id: "a" if case_id % 2 else "b")
    freezing.freeze_snapshot(annotator, query=SnapshotQuery("s"))
    with store.writing() as session:
        session.execute(delete(ImageSurroundings))
        lost = session.get_one(Image, 3)
        (store.settings.data_dir / "blobs" / lost.sha256[:2] / lost.sha256).unlink()
    shortcuts._answers.clear()
    report = look(annotator)
    assert accused(report) == {"device"}
    assert any("The file of image 3 is missing or damaged." in sentence for sentence in report.unchecked)


def test_it_is_kept_with_the_snapshot_and_found_anew_once_a_record_is_corrected(
    store: Store, annotator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(store)
    name_devices(store, lambda case_id: "a" if case_id % 2 else "b")
    frozen = freezing.freeze_snapshot(annotator, query=SnapshotQuery("s"))
    assert frozen.shortcuts is not None
    assert accused(frozen.shortcuts) == {"device"}
    manifest = manifest_of(store, frozen.id)
    with monkeypatch.context() as patch:
        patch.setattr(shortcuts, "search_shortcuts", None)
        assert shortcuts.snapshot_shortcuts(store, frozen.id, manifest) == frozen.shortcuts
    name_devices(store, lambda _case_id: "a")
    assert accused(shortcuts.snapshot_shortcuts(store, frozen.id, manifest)) == set()
    store_rows.change(store, Snapshot, frozen.id, shortcuts=None)  # frozen by an earlier version
    assert freezing.get_snapshot(annotator, snapshot_id=frozen.id).shortcuts is None
    assert accused(shortcuts.snapshot_shortcuts(store, frozen.id, manifest)) == set()


def test_the_split_does_not_matter(store: Store, annotator: Caller) -> None:
    plant(store, hsil=framed)
    one, other = (freezing.preview_snapshot(annotator, query=SnapshotQuery("s", seed=seed)) for seed in (0, 1))
    assert one.counts["images"][Split.TEST] > 0
    assert one.shortcuts == other.shortcuts


def test_images_of_any_size_are_measured() -> None:
    for shape in ((SIDE_PX, SIDE_PX), (40, 300), (9, 9), (700, 500)):
        found = surroundings.surroundings(np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8))
        assert all(np.isfinite(figures).all() for figures in found.figures.values())
        again = surroundings.Surroundings.unpack(found.pack())
        assert all(np.allclose(again.figures[name], found.figures[name], atol=0.01) for name in found.figures)
