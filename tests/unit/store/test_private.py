"""Nobody but the program's own account reads a store."""

import os
from pathlib import Path

import pytest

from colpo_core.settings import Settings, keep_files_private
from colpo_core.store import Store
from colpo_core.store.private import make_private, privacy_warning, readable_by_others

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")


def open_to_others(folder: Path) -> list[str]:
    return [str(place) for place in (folder, *folder.rglob("*")) if place.stat().st_mode & 0o077]


@pytest.fixture
def usual_umask() -> object:
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_a_store_that_others_could_read_is_taken_from_them_when_it_is_opened(
    store: Store, usual_umask: None, tmp_path: Path
) -> None:
    folder = store.settings.data_dir
    (folder / "blobs" / "ab").mkdir(parents=True, mode=0o755)
    (folder / "blobs" / "ab" / "x").write_bytes(b"x")
    outside = tmp_path / "outside"
    outside.write_bytes(b"x")
    (folder / "blobs" / "link").symlink_to(outside)
    folder.chmod(0o755)
    assert "Other accounts" in privacy_warning(store.settings)
    Store.open(store.settings).close()
    assert [place for place in open_to_others(folder) if "link" not in place] == []
    assert outside.stat().st_mode & 0o044
    assert privacy_warning(store.settings) == ""


def test_what_a_store_writes_is_private(usual_umask: None, tmp_path: Path) -> None:
    keep_files_private()
    made = Store.open(Settings(data_dir=tmp_path / "data"))
    made.blobs.put(b"photograph")
    made.close()
    assert open_to_others(tmp_path / "data") == []


def test_a_file_is_private_whatever_the_umask_says(store: Store, usual_umask: None) -> None:
    sha256 = store.blobs.put(b"photograph")
    assert store.blobs.path(sha256).stat().st_mode & 0o077 == 0


def test_a_folder_of_another_account_is_told_and_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "chmod", refuse)
    make_private(tmp_path)
    assert readable_by_others(tmp_path)
    assert "mode 700" in privacy_warning(Settings(data_dir=tmp_path))
