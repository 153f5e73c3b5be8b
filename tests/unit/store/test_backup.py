"""Copies of a store: one moment of it, every file whole, and a store again when it is needed."""

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path

import pytest
from filelock import FileLock
from sqlalchemy import select

from colpo_core.errors import Conflict, InputRejected, NotFound, StoreDamaged
from colpo_core.records.maintenance import FaultKind, StoreFault
from colpo_core.records.models.card_seal import WEIGHTS_FILE
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.stored_images import image_bytes
from colpo_core.services.people.signing_in import actor_for_token
from colpo_core.settings import Settings
from colpo_core.store import Store, backup
from colpo_core.store.backup import back_up, heal, restore
from colpo_core.store.backup_folder import FACTS_FILE, read_facts
from colpo_core.store.engine import make_engine
from colpo_core.store.schema import upgrade_schema
from colpo_core.store.shared_files import blob_place
from colpo_core.store.tables import Case, Image, Patient, Prediction, utc_now
from colpo_core.terms import Stage
from tests.support.clinic import Clinic, PredictedClinic
from tests.support.old_store import opening
from tests.support.whole_stores import rot, swap, whole_clinic


def tree(folder: Path) -> dict[str, bytes]:
    return {str(place.relative_to(folder)): place.read_bytes() for place in folder.rglob("*") if place.is_file()}


@pytest.fixture
def desk(store: Store, administrator: Caller) -> PredictedClinic:
    return whole_clinic(administrator)


@pytest.fixture
def old_copy(tmp_path: Path) -> Settings:
    return opening.unpack(tmp_path / "old")


def test_a_copy_is_a_store_with_every_row_and_file(
    store: Store, annotator: Caller, desk: PredictedClinic, tmp_path: Path
) -> None:
    facts = back_up(store.settings, tmp_path / "copy")
    assert read_facts(tmp_path / "copy") == facts
    assert facts.faults == ()
    other = Settings(data_dir=tmp_path / "again")
    assert restore(tmp_path / "copy", other) == facts
    assert (other.checkpoints_dir / "model-1" / WEIGHTS_FILE).read_bytes() == b"w" * 1000
    made = Store.open(other)
    with store.reading() as before, made.reading() as after:
        images = [session.scalars(select(Image.sha256).order_by(Image.id)).all() for session in (before, after)]
        assert images[0] == images[1] != []
    for case in desk.cases:
        assert image_bytes(Caller(made, annotator.actor), image_id=case.image_id) == image_bytes(
            annotator, image_id=case.image_id
        )
    made.close()


def test_the_same_folder_again_takes_what_is_new(store: Store, desk: PredictedClinic, tmp_path: Path) -> None:
    first = back_up(store.settings, tmp_path / "copy")
    assert back_up(store.settings, tmp_path / "copy").copied_files == 0
    desk.clinic.add_case()
    second = back_up(store.settings, tmp_path / "copy")
    assert second.copied_files == 1
    assert (second.files, second.database_sha256 != first.database_sha256) == (first.files + 1, True)


def test_a_copy_made_while_others_write_is_whole(store: Store, desk: PredictedClinic, tmp_path: Path) -> None:
    is_over = threading.Event()

    def write() -> None:
        number = 0
        while not is_over.is_set():
            number += 1
            sha256 = store.blobs.put(f"file {number}".encode())
            case = Case(patient=Patient(code=f"w-{sha256}"))
            image = Image(case=case, sha256=sha256, media_type="image/png", stage=Stage.NATIVE)
            image.width_px = image.height_px = 1
            with store.writing() as session:
                session.add(image)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for turn in range(5):
            back_up(store.settings, tmp_path / "copy")
            with sqlite3.connect(tmp_path / "copy" / "colpodesk.sqlite") as copy:
                assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                named = [code[2:] for (code,) in copy.execute("SELECT code FROM patients WHERE code LIKE 'w-%'")]
            blobs = Settings(data_dir=tmp_path / "copy").blobs_dir
            assert named or turn == 0
            assert [name for name in named if not (blobs / name[:2] / name).exists()] == [], "a row names a file"
    finally:
        is_over.set()
        writer.join()


def test_a_copy_that_stops_half_way_leaves_the_one_before(
    store: Store, desk: PredictedClinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = back_up(store.settings, tmp_path / "copy")
    before = tree(tmp_path / "copy")
    desk.clinic.add_case()

    def fail(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(backup, "publish", fail)
    with pytest.raises(OSError, match="full"):
        back_up(store.settings, tmp_path / "copy")
    monkeypatch.undo()
    after = tree(tmp_path / "copy")
    assert {name: after[name] for name in before if name != "read.json"} == {
        name: content for name, content in before.items() if name != "read.json"
    }
    assert restore(tmp_path / "copy", Settings(data_dir=tmp_path / "again")) == first
    assert back_up(store.settings, tmp_path / "copy").faults == ()


def blob_of(store: Store, image_id: int) -> str:
    with store.reading() as session:
        return blob_place(session.get_one(Image, image_id).sha256)


def kinds(faults: Iterable[StoreFault]) -> dict[str, FaultKind]:
    return {fault.place: fault.kind for fault in faults}


def test_a_file_that_is_damaged_or_missing_in_the_store_is_named_and_healed_from_the_copy(
    store: Store, desk: PredictedClinic, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    back_up(store.settings, copy)
    rotten, gone = (blob_of(store, case.image_id) for case in desk.cases[:2])
    weights = f"checkpoints/model-1/{WEIGHTS_FILE}"
    whole = {place: (copy / place).read_bytes() for place in (rotten, gone, weights)}
    rot(store.settings.data_dir / rotten)
    (store.settings.data_dir / gone).unlink()
    rot(store.settings.data_dir / weights)
    facts = back_up(store.settings, copy)
    assert kinds(facts.faults) == dict.fromkeys((rotten, gone, weights), FaultKind.ONLY_IN_BACK_UP)
    assert all("store heal" in fault.sentence for fault in facts.faults)
    assert {place: (copy / place).read_bytes() for place in whole} == whole
    healed = heal(store.settings, copy)
    assert (set(healed.healed), healed.left) == ({rotten, gone, weights}, ())
    assert {place: (store.settings.data_dir / place).read_bytes() for place in whole} == whole
    assert back_up(store.settings, copy).faults == ()


def test_what_is_whole_nowhere_is_named_at_every_back_up_and_restore(
    store: Store, desk: PredictedClinic, tmp_path: Path
) -> None:
    copy, again = tmp_path / "copy", Settings(data_dir=tmp_path / "again")
    rotten, gone = (blob_of(store, case.image_id) for case in desk.cases[:2])
    rot(store.settings.data_dir / rotten)
    (store.settings.data_dir / gone).unlink()
    for _ in range(2):
        assert kinds(back_up(store.settings, copy).faults) == dict.fromkeys((rotten, gone), FaultKind.LOST)
    found = restore(copy, again)
    assert kinds(found.faults) == dict.fromkeys((rotten, gone), FaultKind.NOT_RESTORED)
    assert all("When the back-up was made" in fault.sentence for fault in found.faults)
    assert not (again.data_dir / rotten).exists()
    assert kinds(heal(again, copy).left) == dict.fromkeys((rotten, gone), FaultKind.MISSING)


def test_a_copy_that_is_missing_rotten_or_swapped_is_named_and_replaced(
    store: Store, desk: PredictedClinic, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    back_up(store.settings, copy)
    missing, rotten, first = (blob_of(store, case.image_id) for case in desk.cases)
    with store.reading() as session:
        second = blob_place(session.get_one(Prediction, desk.predictions[0]).maps_sha256)
    weights = f"checkpoints/model-1/{WEIGHTS_FILE}"
    (copy / missing).unlink()
    rot(copy / rotten)
    swap(copy / first, copy / second)
    rot(copy / weights)
    broken = {missing, rotten, first, second, weights}
    facts = back_up(store.settings, copy)
    assert kinds(facts.faults) == dict.fromkeys(broken, FaultKind.COPY_REPLACED)
    assert facts.copied_files == len(broken)
    assert all((copy / place).read_bytes() == (store.settings.data_dir / place).read_bytes() for place in broken)
    assert back_up(store.settings, copy, verify=True).faults == ()


def rot_unseen(path: Path) -> None:
    """As a failing disk does it: the file's times stay."""
    before = path.stat()
    rot(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_copy_that_rots_without_a_trace_is_found_within_a_week_and_at_once_when_asked(
    store: Store, desk: PredictedClinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy"
    place = blob_of(store, desk.cases[0].image_id)
    back_up(store.settings, copy)
    rot_unseen(copy / place)
    assert back_up(store.settings, copy).faults == ()
    assert kinds(back_up(store.settings, copy, verify=True).faults) == {place: FaultKind.COPY_REPLACED}
    rot_unseen(copy / place)
    week = timedelta(days=backup.READ_AGAIN_AFTER_DAYS)
    monkeypatch.setattr(backup, "utc_now", lambda: utc_now() + week)
    assert kinds(back_up(store.settings, copy).faults) == {place: FaultKind.COPY_REPLACED}
    # A clock that was put back is no reason to trust what was read in the future.
    rot_unseen(copy / place)
    monkeypatch.setattr(backup, "utc_now", utc_now)
    assert kinds(back_up(store.settings, copy).faults) == {place: FaultKind.COPY_REPLACED}


def test_a_file_that_is_rotten_in_the_copy_is_named_when_it_is_restored(
    store: Store, desk: PredictedClinic, tmp_path: Path
) -> None:
    back_up(store.settings, tmp_path / "copy")
    places = [blob_of(store, desk.cases[0].image_id), f"checkpoints/model-1/{WEIGHTS_FILE}"]
    for place in places:
        rot(tmp_path / "copy" / place)
    found = restore(tmp_path / "copy", Settings(data_dir=tmp_path / "again"))
    assert kinds(found.faults) == dict.fromkeys(places, FaultKind.NOT_RESTORED)


def test_a_restored_store_has_no_sign_ins(
    store: Store, administrator: Caller, annotator: Caller, token_of: Callable[[Caller], str], tmp_path: Path
) -> None:
    tokens = [token_of(caller) for caller in (administrator, annotator)]
    back_up(store.settings, tmp_path / "copy")
    again = Settings(data_dir=tmp_path / "again")
    restore(tmp_path / "copy", again)
    made = Store.open(again)
    assert all(actor_for_token(store, token=token) is not None for token in tokens)
    assert [actor_for_token(made, token=token) for token in tokens] == [None, None]
    made.close()


def test_a_restore_that_was_broken_off_goes_on(
    store: Store, desk: PredictedClinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = back_up(store.settings, tmp_path / "copy")
    again = Settings(data_dir=tmp_path / "again")

    def fail(*_: object) -> None:
        raise OSError("killed")

    with monkeypatch.context() as broken:
        broken.setattr(backup, "_place_database", fail)
        with pytest.raises(OSError, match="killed"):
            restore(tmp_path / "copy", again)
    with pytest.raises(StoreDamaged, match="is missing"):
        Store.open(again)
    assert restore(tmp_path / "copy", again) == facts
    Store.open(again, make=False).close()
    with pytest.raises(Conflict, match="not empty"):
        restore(tmp_path / "copy", again)


def test_two_back_ups_of_a_store_do_not_run_at_once(store: Store, tmp_path: Path) -> None:
    with FileLock(store.settings.data_dir / "back-up.lock"), pytest.raises(Conflict, match="under way"):
        back_up(store.settings, tmp_path / "copy")
    back_up(store.settings, tmp_path / "copy")


def test_a_crash_between_database_and_facts_leaves_a_back_up_that_can_be_restored(
    store: Store, desk: PredictedClinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy"
    back_up(store.settings, copy)
    desk.clinic.add_case()
    real = Path.replace

    def dies(self: Path, target: Path) -> Path:
        if target.name == FACTS_FILE:
            raise OSError("killed")
        return real(self, target)

    with monkeypatch.context() as broken:
        broken.setattr(Path, "replace", dies)
        with pytest.raises(OSError, match="killed"):
            back_up(store.settings, copy)
    assert restore(copy, Settings(data_dir=tmp_path / "again")).faults == ()


def test_a_back_up_of_a_version_before_identities_goes_on(old_copy: Settings, tmp_path: Path) -> None:
    first = back_up(old_copy, tmp_path / "copy")
    assert (first.store, first.faults, first.schema) == ("", (), "0017")
    upgrade_schema(make_engine(old_copy))
    second = back_up(old_copy, tmp_path / "copy")
    assert (len(second.store), second.faults) == (36, ())
    written = json.loads((tmp_path / "copy" / FACTS_FILE).read_text())
    for name in ("faults", "store"):
        written.pop(name)
    written["damaged"] = ["a" * 64]
    (tmp_path / "copy" / FACTS_FILE).write_text(json.dumps(written))
    assert kinds(read_facts(tmp_path / "copy").faults) == {blob_place("a" * 64): FaultKind.LOST}


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_a_back_up_is_for_the_programs_account_alone(store: Store, desk: PredictedClinic, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    before = os.umask(0o022)
    try:
        copy.mkdir(mode=0o755)
        back_up(store.settings, copy)
        back_up(store.settings, copy)
    finally:
        os.umask(before)
    places = [copy, *copy.rglob("*")]
    assert [str(place) for place in places if place.is_file() and place.stat().st_mode & 0o077] == []
    assert copy.stat().st_mode & 0o077 == 0


def test_a_folder_that_is_something_else_is_refused_and_left_alone(
    store: Store, desk: PredictedClinic, tmp_path: Path
) -> None:
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    (photographs / "a.jpg").write_bytes(b"x")
    for folder in (photographs, store.settings.data_dir / "copy", store.settings.data_dir, Path("/")):
        with pytest.raises(InputRejected):
            back_up(store.settings, folder)
    assert tree(photographs) == {"a.jpg": b"x"}
    with pytest.raises(InputRejected, match="is a file"):
        back_up(store.settings, photographs / "a.jpg")


def test_only_a_whole_copy_becomes_a_store_and_never_over_another(
    store: Store, desk: PredictedClinic, tmp_path: Path
) -> None:
    with pytest.raises(NotFound, match="no finished back-up"):
        restore(tmp_path / "nowhere", Settings(data_dir=tmp_path / "again"))
    back_up(store.settings, tmp_path / "copy")
    before = tree(store.settings.data_dir)
    with pytest.raises(Conflict, match="not empty"):
        restore(tmp_path / "copy", store.settings)
    assert tree(store.settings.data_dir).keys() == before.keys()
    with sqlite3.connect(tmp_path / "copy" / "colpodesk.sqlite") as copy:
        copy.execute("CREATE TABLE other (id INTEGER)")
    with pytest.raises(Conflict, match="not the one that was written"):
        restore(tmp_path / "copy", Settings(data_dir=tmp_path / "again"))
    assert tree(tmp_path / "again") == {}
    (tmp_path / "copy" / FACTS_FILE).write_text("{}")
    with pytest.raises(NotFound):
        read_facts(tmp_path / "copy")


def test_an_empty_clinic_can_be_copied_too(store: Store, tmp_path: Path) -> None:
    Clinic(store)
    assert back_up(store.settings, tmp_path / "copy").files == 1
