"""Copies of a store: one moment of it, every file whole, and a store again when it is needed."""

import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from colpo_core.errors import Conflict, InputRejected, NotFound
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.stored_images import image_bytes
from colpo_core.settings import Settings
from colpo_core.store import Store, backup
from colpo_core.store.backup import FACTS_FILE, back_up, read_facts, restore
from colpo_core.store.tables import Image, Patient
from tests.support.clinic import Clinic, PredictedClinic


def tree(folder: Path) -> dict[str, bytes]:
    return {str(place.relative_to(folder)): place.read_bytes() for place in folder.rglob("*") if place.is_file()}


@pytest.fixture
def desk(store: Store, administrator: Caller) -> PredictedClinic:
    checkpoint = store.settings.checkpoints_dir / "model-1"
    checkpoint.mkdir(parents=True)
    (checkpoint / "weights.bin").write_bytes(b"w" * 1000)
    return PredictedClinic(administrator)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Where a back-up goes."""
    return tmp_path / "copy"


@pytest.fixture
def again(tmp_path: Path) -> Settings:
    """Where a back-up becomes a store again."""
    return Settings(data_dir=tmp_path / "again")


def test_a_copy_is_a_store_with_every_row_and_file(
    store: Store, annotator: Caller, desk: PredictedClinic, copy: Path, again: Settings
) -> None:
    facts = back_up(store.settings, copy)
    assert read_facts(copy) == facts
    assert facts.damaged == ()
    assert restore(copy, again) == facts
    assert (again.checkpoints_dir / "model-1" / "weights.bin").read_bytes() == b"w" * 1000
    made = Store.open(again)
    with store.reading() as before, made.reading() as after:
        images = [session.scalars(select(Image.sha256).order_by(Image.id)).all() for session in (before, after)]
        assert images[0] == images[1] != []
    restored = Caller(made, annotator.actor)
    for case in desk.cases:
        assert image_bytes(restored, image_id=case.image_id) == image_bytes(annotator, image_id=case.image_id)
    made.close()


def test_the_same_folder_again_takes_what_is_new(store: Store, desk: PredictedClinic, copy: Path) -> None:
    first = back_up(store.settings, copy)
    assert back_up(store.settings, copy).copied_files == 0
    desk.clinic.add_case()
    second = back_up(store.settings, copy)
    assert second.copied_files == 1
    assert (second.files, second.database_sha256 != first.database_sha256) == (first.files + 1, True)


def test_a_copy_made_while_others_write_is_whole(store: Store, desk: PredictedClinic, copy: Path) -> None:
    is_over = threading.Event()

    def write() -> None:
        number = 0
        while not is_over.is_set():
            number += 1
            sha256 = store.blobs.put(f"file {number}".encode())
            with store.writing() as session:
                session.add(Patient(code=f"w-{sha256}"))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for turn in range(5):
            back_up(store.settings, copy)
            with sqlite3.connect(copy / "colpodesk.sqlite") as database:
                assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                named = [code[2:] for (code,) in database.execute("SELECT code FROM patients WHERE code LIKE 'w-%'")]
            blobs = Settings(data_dir=copy).blobs_dir
            assert named or turn == 0
            assert [name for name in named if not (blobs / name[:2] / name).exists()] == [], "a row names a file"
    finally:
        is_over.set()
        writer.join()


def test_a_copy_that_stops_half_way_leaves_the_one_before(
    store: Store, desk: PredictedClinic, monkeypatch: pytest.MonkeyPatch, copy: Path, again: Settings
) -> None:
    first = back_up(store.settings, copy)
    before = tree(copy)
    desk.clinic.add_case()

    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(backup, "_copy_checkpoints", fail)
    with pytest.raises(OSError, match="full"):
        back_up(store.settings, copy)
    monkeypatch.undo()
    after = tree(copy)
    assert {name: after[name] for name in before} == before
    assert restore(copy, again) == first
    assert back_up(store.settings, copy).damaged == ()


def test_a_damaged_file_is_named_and_an_earlier_copy_of_it_is_kept(
    store: Store, desk: PredictedClinic, copy: Path, again: Settings
) -> None:
    back_up(store.settings, copy)
    with store.reading() as session:
        sha256 = session.get_one(Image, desk.cases[0].image_id).sha256
    whole = (copy / "blobs" / sha256[:2] / sha256).read_bytes()
    store.blobs.path(sha256).write_bytes(b"rotten")
    facts = back_up(store.settings, copy)
    assert facts.damaged == (sha256,)
    assert (copy / "blobs" / sha256[:2] / sha256).read_bytes() == whole
    (copy / "blobs" / sha256[:2] / sha256).write_bytes(b"rotten too")
    found = restore(copy, again)
    assert found.damaged == (sha256,)
    assert not (again.data_dir / "blobs" / sha256[:2] / sha256).exists()


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
    store: Store, desk: PredictedClinic, tmp_path: Path, copy: Path, again: Settings
) -> None:
    with pytest.raises(NotFound, match="no finished back-up"):
        restore(tmp_path / "nowhere", again)
    back_up(store.settings, copy)
    before = tree(store.settings.data_dir)
    with pytest.raises(Conflict, match="not empty"):
        restore(copy, store.settings)
    assert tree(store.settings.data_dir).keys() == before.keys()
    with sqlite3.connect(copy / "colpodesk.sqlite") as database:
        database.execute("CREATE TABLE other (id INTEGER)")
    with pytest.raises(Conflict, match="not the one that was written"):
        restore(copy, again)
    assert tree(again.data_dir) == {}
    (copy / FACTS_FILE).write_text("{}")
    with pytest.raises(NotFound):
        read_facts(copy)


def test_an_empty_clinic_can_be_copied_too(store: Store, copy: Path) -> None:
    Clinic(store)
    assert back_up(store.settings, copy).files == 1
