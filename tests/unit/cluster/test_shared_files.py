"""Files that machines share, here in a folder that two of them mount."""

import os
from pathlib import Path

import pytest

from colpo_core.cluster.shared_files import FsspecFiles
from colpo_core.errors import FilesUnreachable


@pytest.fixture
def files(tmp_path: Path) -> FsspecFiles:
    return FsspecFiles(f"file://{tmp_path / 'shared'}")


def test_what_is_written_is_read_listed_and_removed(files: FsspecFiles, tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"x" * 100_000)
    files.write("jobs/1/work/a", b"one")
    files.send(tmp_path / "long", "jobs/1/work/deep/b")
    files.write("jobs/10/work/a", b"another")
    assert files.read("jobs/1/work/a") == b"one"
    assert files.size("jobs/1/work/deep/b") == 100_000
    assert files.names("jobs/1") == ["jobs/1/work/a", "jobs/1/work/deep/b"]
    files.remove("jobs/1")
    assert files.names("jobs/1") == []
    assert files.read("jobs/10/work/a") == b"another"
    files.delete("jobs/1/work/a")


def test_what_is_not_there_is_said(files: FsspecFiles, tmp_path: Path) -> None:
    assert files.read("nothing") is None
    assert files.size("nothing") is None
    assert files.names("nothing") == []
    assert not files.fetch("nothing", tmp_path / "here")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_fetched_whole_and_in_place_of_an_older_one(files: FsspecFiles, tmp_path: Path) -> None:
    files.write("name", b"new")
    place = tmp_path / "deep" / "here"
    place.parent.mkdir()
    place.write_bytes(b"old and longer")
    assert files.fetch("name", place)
    assert place.read_bytes() == b"new"
    assert list(place.parent.iterdir()) == [place]


def test_what_a_crash_left_half_written_is_not_listed(files: FsspecFiles, tmp_path: Path) -> None:
    files.write("jobs/1/a", b"whole")
    (tmp_path / "shared/jobs/1/.b.123").write_bytes(b"ha")
    (tmp_path / "shared/jobs/1/c.123.writing").write_bytes(b"ha")
    assert files.names("jobs") == ["jobs/1/a"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="an administrator may write anywhere")
def test_a_place_that_refuses_is_named(files: FsspecFiles, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir(mode=0o500)
    with pytest.raises(FilesUnreachable, match="shared"):
        files.write("name", b"content")


def test_a_place_that_cannot_be_one_does_not_answer(tmp_path: Path) -> None:
    (tmp_path / "shared").write_text("a file where a folder should be")
    files = FsspecFiles(f"file://{tmp_path / 'shared'}")
    with pytest.raises(FilesUnreachable, match="Look whether this machine reaches them"):
        files.write("name", b"content")
