"""Content-addressed files of two machines, each with a folder of copies of its own."""

import os
from pathlib import Path

import pytest

from colpo_core.cluster.shared_blobs import SharedBlobs, trim
from colpo_core.cluster.shared_files import FsspecFiles
from colpo_core.errors import FilesUnreachable, NotFound


@pytest.fixture
def files(tmp_path: Path) -> FsspecFiles:
    return FsspecFiles(f"file://{tmp_path / 'shared'}")


def machine(tmp_path: Path, files: FsspecFiles, name: str, *, limit_bytes: float = 1e9) -> SharedBlobs:
    return SharedBlobs(tmp_path / name / "blobs", files, limit_bytes=limit_bytes)


def test_what_one_machine_stores_another_reads_and_keeps(tmp_path: Path, files: FsspecFiles) -> None:
    one, other = machine(tmp_path, files, "one"), machine(tmp_path, files, "other")
    sha256 = one.put(b"an image")
    assert other.get(sha256) == b"an image"
    (tmp_path / "shared").rename(tmp_path / "away")
    assert other.get(sha256) == b"an image"
    assert one.get(sha256) == b"an image"
    with pytest.raises(NotFound, match="missing from the shared files"):
        machine(tmp_path, files, "third").get(sha256)


def test_a_damaged_copy_is_fetched_again(tmp_path: Path, files: FsspecFiles) -> None:
    blobs = machine(tmp_path, files, "one")
    sha256 = blobs.put(b"an image")
    blobs.path(sha256).write_bytes(b"an imagf")
    assert blobs.get(sha256) == b"an image"
    assert blobs.path(sha256).read_bytes() == b"an image"


def test_what_is_damaged_where_it_is_shared_is_refused(tmp_path: Path, files: FsspecFiles) -> None:
    sha256 = machine(tmp_path, files, "one").put(b"an image")
    files.write(f"blobs/{sha256[:2]}/{sha256}", b"another")
    with pytest.raises(NotFound, match="damaged in the shared files"):
        machine(tmp_path, files, "other").get(sha256)


def test_nothing_counts_as_stored_before_it_is_shared(tmp_path: Path) -> None:
    (tmp_path / "shared").write_text("in the way")
    blobs = machine(tmp_path, FsspecFiles(f"file://{tmp_path / 'shared'}"), "one")
    with pytest.raises(FilesUnreachable):
        blobs.put(b"an image")
    assert not (tmp_path / "one").exists()


def test_what_was_lost_where_it_is_shared_is_shared_again(tmp_path: Path, files: FsspecFiles) -> None:
    sha256 = machine(tmp_path, files, "one").put(b"an image")
    files.remove("blobs")
    machine(tmp_path, files, "other").put(b"an image")
    assert machine(tmp_path, files, "third").get(sha256) == b"an image"


def test_copies_used_longest_ago_make_room(tmp_path: Path, files: FsspecFiles) -> None:
    blobs = machine(tmp_path, files, "one", limit_bytes=10_000)
    names = []
    for number in range(9):
        names.append(blobs.put(bytes([number]) * 1_000))
        os.utime(blobs.path(names[-1]), (number, number))
    blobs.get(names[0])  # used now, so it stays
    blobs.put(b"x" * 3_000)
    here = [name for name in names if blobs.path(name).exists()]
    assert here == [names[0], *names[4:]]
    assert [blobs.get(name) for name in names] == [bytes([number]) * 1_000 for number in range(9)]


def test_a_checkpoint_goes_as_a_whole_and_nothing_within_the_limit(tmp_path: Path) -> None:
    for number, name in enumerate(("old", "new")):
        folder = tmp_path / "checkpoints" / name
        folder.mkdir(parents=True)
        (folder / "weights").write_bytes(b"w" * 600)
        os.utime(folder, (number, number))
    assert trim(tmp_path, limit_bytes=1_200) == 0
    assert trim(tmp_path, limit_bytes=1_199) == 1
    assert [place.name for place in (tmp_path / "checkpoints").iterdir()] == ["new"]


def test_a_shared_file_that_rotted_at_the_same_length_is_healed_when_its_content_comes_again(
    tmp_path: Path, files: FsspecFiles
) -> None:
    sha256 = machine(tmp_path, files, "one").put(b"an image")
    files.write(f"blobs/{sha256[:2]}/{sha256}", b"an imagf")
    machine(tmp_path, files, "other").put(b"an image")
    assert machine(tmp_path, files, "third").get(sha256) == b"an image"
