"""Every file that a row names is asked for, and what no row names is listed."""

from pathlib import Path

import pytest
from sqlalchemy import text

from colpo_core.records.models.card_seal import CARD_FILE, WEIGHTS_FILE
from colpo_core.services.common.callers import Caller
from colpo_core.store import Store
from colpo_core.store.walk import FileState, NamedFile, named_files, state_of, unnamed_files
from tests.support.whole_stores import rot, whole_clinic


def named(store: Store, *roots: Path) -> list[NamedFile]:
    with store.reading() as session:
        return list(named_files(lambda query: session.execute(text(query)), *roots))


def test_every_file_of_every_row_is_named_once_and_whole(store: Store, administrator: Caller) -> None:
    whole_clinic(administrator)
    root = store.settings.data_dir
    files = named(store, root)
    places = [file.place for file in files]
    on_disk = [*(root / "blobs").rglob("*"), *(root / "checkpoints").rglob("*")]
    assert set(places) == {path.relative_to(root).as_posix() for path in on_disk if path.is_file()}
    assert len(places) == len(set(places))
    assert {state_of(root, file) for file in files} == {FileState.WHOLE}
    assert any(file.what == "the photograph of image 1 in case 1" for file in files)
    assert list(unnamed_files(root, places)) == []


def test_missing_and_damaged_files_are_told_apart(store: Store, administrator: Caller) -> None:
    whole_clinic(administrator)
    root = store.settings.data_dir
    files = {file.place: file for file in named(store, root)}
    gone, rotten = list(files)[:2]
    (root / gone).unlink()
    rot(root / rotten)
    assert state_of(root, files[gone]) is FileState.MISSING
    assert state_of(root, files[rotten]) is FileState.DAMAGED
    weights = f"checkpoints/model-1/{WEIGHTS_FILE}"
    rot(root / weights)
    assert state_of(root, files[weights]) is FileState.DAMAGED


@pytest.mark.parametrize("content", ["", "{", "[]", '{"sha256": "x"}'])
def test_a_card_that_is_not_the_sealed_one_is_damaged(store: Store, administrator: Caller, content: str) -> None:
    whole_clinic(administrator)
    root = store.settings.data_dir
    card = next(file for file in named(store, root) if file.place.endswith(CARD_FILE))
    (root / card.place).write_text(content)
    assert state_of(root, card) is FileState.DAMAGED
    (root / card.place).unlink()
    assert state_of(root, card) is FileState.MISSING


def test_the_weights_are_known_from_a_copys_card_too(store: Store, administrator: Caller, tmp_path: Path) -> None:
    whole_clinic(administrator)
    root = store.settings.data_dir
    before = named(store, root)
    (tmp_path / "checkpoints" / "model-1").mkdir(parents=True)
    card = root / "checkpoints" / "model-1" / CARD_FILE
    card.rename(tmp_path / "checkpoints" / "model-1" / CARD_FILE)
    assert len(named(store, root)) == len(before) - 1
    assert named(store, root, tmp_path) == before


def test_a_file_that_no_row_names_is_listed(store: Store, administrator: Caller) -> None:
    whole_clinic(administrator)
    root = store.settings.data_dir
    left = store.blobs.path(store.blobs.put(b"left")).relative_to(root).as_posix()
    assert list(unnamed_files(root, [file.place for file in named(store, root)])) == [left]
