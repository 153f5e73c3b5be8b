"""A checkpoint's files, in a store's own folder and among the files that machines share."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from colpo_core.cluster.sharing_files import share_files
from colpo_core.errors import CheckpointMismatch, Conflict, PermissionDenied
from colpo_core.nets.card import read_card
from colpo_core.records.models.card_seal import CARD_FILE, WEIGHTS_FILE
from colpo_core.services.common.callers import Caller
from colpo_core.services.models.files import checkpoint_dir, place_files, prepare_files
from colpo_core.settings import Settings
from colpo_core.store import Store
from tests.support.refusals import refused
from tests.unit.services.models.test_registry import write_folder


@pytest.fixture
def sharing(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", files_url=f"file://{tmp_path / 'shared'}")


@pytest.fixture
def here(store: Store, sharing: Settings) -> Store:
    """The store as it is once its files are shared."""
    return Store(sharing, store._reader)


@pytest.fixture
def elsewhere(store: Store, sharing: Settings, tmp_path: Path) -> Iterator[Store]:
    """Another machine on the same database and the same shared files."""
    return Store(replace(sharing, data_dir=tmp_path / "other"), store._reader)


def published(store: Store, tmp_path: Path, name: str = "one") -> str:
    sha256 = str(read_card(write_folder(tmp_path / "made", name))["sha256"])
    place_files(store, prepare_files(store, job_id=1, folder=tmp_path / "made"), name=name, sha256=sha256)
    return sha256


def test_in_a_folder_it_lies_under_its_name(store: Store, tmp_path: Path) -> None:
    sha256 = published(store, tmp_path)
    assert checkpoint_dir(store, "one", sha256) == store.settings.checkpoints_dir / "one"
    assert read_card(store.settings.checkpoints_dir / "one")["sha256"] == sha256


def test_a_shared_one_is_on_every_machine_that_asks(here: Store, elsewhere: Store, tmp_path: Path) -> None:
    sha256 = published(here, tmp_path)
    folder = checkpoint_dir(elsewhere, "one", sha256)
    assert (folder / WEIGHTS_FILE).read_bytes() == b"weights of one"
    assert read_card(folder)["sha256"] == sha256
    assert sorted(place.name for place in folder.parent.iterdir()) == [sha256]
    shutil.rmtree(tmp_path / "shared")
    assert read_card(checkpoint_dir(elsewhere, "one", sha256))["name"] == "one"
    assert read_card(checkpoint_dir(here, "one", sha256))["name"] == "one"


def test_one_whose_card_never_arrived_is_not_there(here: Store, elsewhere: Store, tmp_path: Path) -> None:
    sha256 = published(here, tmp_path)
    (tmp_path / "shared/checkpoints" / sha256 / CARD_FILE).unlink()
    refused(CheckpointMismatch, lambda: read_card(checkpoint_dir(elsewhere, "one", sha256)), match="no readable card")
    assert not elsewhere.settings.checkpoints_dir.exists()


def test_a_stores_own_files_are_shared_and_stay(
    store: Store, here: Store, elsewhere: Store, administrator: Caller, tmp_path: Path
) -> None:
    sha256 = published(store, tmp_path)
    image, damaged = store.blobs.put(b"an image"), store.blobs.put(b"another")
    store.blobs.path(damaged).write_bytes(b"anothfr")
    counts = share_files(Caller(here, administrator.actor))
    assert (counts.blobs, counts.checkpoints, counts.damaged) == (1, 1, (damaged,))
    assert elsewhere.blobs.get(image) == b"an image"
    assert read_card(checkpoint_dir(elsewhere, "one", sha256))["name"] == "one"
    assert store.blobs.get(image) == b"an image"
    assert share_files(Caller(here, administrator.actor)).blobs == 1


def test_shared_weights_that_rotted_at_the_same_length_are_shared_again(
    store: Store, here: Store, administrator: Caller, tmp_path: Path
) -> None:
    sha256 = published(store, tmp_path)
    share_files(Caller(here, administrator.actor))
    shared = tmp_path / "shared" / "checkpoints" / sha256 / WEIGHTS_FILE
    shared.write_bytes(b"weights of onf")
    share_files(Caller(here, administrator.actor))
    assert shared.read_bytes() == b"weights of one"


def test_sharing_needs_a_place_and_an_administrator(administrator: Caller, annotator: Caller) -> None:
    refused(Conflict, lambda: share_files(administrator), match="COLPO_FILES")
    refused(PermissionDenied, lambda: share_files(annotator))
