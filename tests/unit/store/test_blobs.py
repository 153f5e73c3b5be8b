import hashlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from colpo_core.errors import NotFound
from colpo_core.store.blobs import BlobFolder, write_file


@given(content=st.binary(max_size=5000))
@examples(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_what_is_put_comes_back_under_its_hash(tmp_path: Path, content: bytes) -> None:
    blobs = BlobFolder(tmp_path)
    sha256 = blobs.put(content)
    assert sha256 == hashlib.sha256(content).hexdigest()
    assert blobs.get(sha256) == content
    assert blobs.put(content) == sha256


def test_a_torn_file_is_not_trusted_when_the_content_comes_again(tmp_path: Path) -> None:
    blobs = BlobFolder(tmp_path)
    sha256 = blobs.put(b"whole content")
    blobs.path(sha256).write_bytes(b"whole")
    with pytest.raises(NotFound, match="damaged"):
        blobs.get(sha256)
    blobs.put(b"whole content")
    assert blobs.get(sha256) == b"whole content"


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="back-up"):
        BlobFolder(tmp_path).get("0" * 64)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63])
def test_only_a_hash_is_a_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        BlobFolder(tmp_path).path(name)


def test_sweep_removes_what_a_crash_left_and_nothing_else(tmp_path: Path) -> None:
    blobs = BlobFolder(tmp_path)
    sha256 = blobs.put(b"kept")
    leftover = blobs.path(sha256).with_name("half.writing")
    leftover.write_bytes(b"ha")
    assert blobs.sweep(older_than_seconds=3600) == 0
    assert blobs.sweep(older_than_seconds=0) == 1
    assert not leftover.exists()
    assert blobs.get(sha256) == b"kept"


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    place = tmp_path / "card.json"
    write_file(place, b"old")
    with pytest.raises(TypeError):
        write_file(place, "not bytes")  # type: ignore[arg-type]
    assert place.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [place]


def test_a_file_that_rotted_at_the_same_length_is_healed_when_its_content_comes_again(tmp_path: Path) -> None:
    blobs = BlobFolder(tmp_path)
    sha256 = blobs.put(b"an image")
    blobs.path(sha256).write_bytes(b"an imagf")
    assert blobs.put(b"an image") == sha256
    assert blobs.get(sha256) == b"an image"
