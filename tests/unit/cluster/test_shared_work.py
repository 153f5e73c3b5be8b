"""A job's unfinished work goes from one machine to the next through the files that they share."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from colpo_core.cluster import shared_work
from colpo_core.cluster.shared_work import fetch_work
from colpo_core.errors import FilesUnreachable
from colpo_core.services.jobs import files as job_files
from colpo_core.services.jobs.files import delete_work, read_log, sharing_work
from colpo_core.settings import Settings
from colpo_core.store import Store

JOB = 7


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "one", files_url=f"file://{tmp_path / 'shared'}")


@pytest.fixture
def other(store: Store, tmp_path: Path) -> Iterator[Store]:
    """Another machine: a folder of its own, the same shared files."""
    opened = Store.open(replace(store.settings, data_dir=tmp_path / "other"))
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_work, "_SEND_EVERY_SECONDS", 0.01)


def write(store: Store, name: str, text: str) -> Path:
    place = job_files.work_dir(store, JOB) / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    return place


def work_of(store: Store) -> dict[str, str]:
    here = job_files.work_dir(store, JOB)
    return {place.relative_to(here).as_posix(): place.read_text() for place in here.rglob("*") if place.is_file()}


def attempt(store: Store, number: int, lost: threading.Event | None = None):  # noqa: ANN201
    return sharing_work(store, JOB, attempt=number, lost=lost or threading.Event())


def test_another_machine_goes_on_where_one_stopped(store: Store, other: Store) -> None:
    with attempt(store, 1):
        write(store, "stages/segmentation.safetensors", "weights")
        write(store, "stages/classification.unfinished", "half")
        write(store, "stages/classification.part", "being written")
        write(store, ".checkpoint.123/card.json", "being written")
    write(other, "stages/segmentation.safetensors", "of an attempt long ago")
    with attempt(other, 2):
        assert work_of(other) == {
            "stages/segmentation.safetensors": "weights", "stages/classification.unfinished": "half",
        }  # fmt: skip
        (job_files.work_dir(other, JOB) / "stages/classification.unfinished").unlink()
        write(other, "stages/segmentation.safetensors", "other weights")
    with attempt(store, 3):
        assert work_of(store) == {"stages/segmentation.safetensors": "other weights"}


def test_what_is_kept_is_shared_while_the_work_goes_on(store: Store, other: Store) -> None:
    with attempt(store, 1):
        write(store, "kept", "at once")
        until = threading.Event()
        for _ in range(500):
            assert other.files is not None
            if other.files.read(f"jobs/{JOB}/work/kept") == b"at once":
                until.set()
                break
            until.wait(0.01)
        assert until.is_set()


def test_a_runner_that_has_lost_its_job_shares_nothing(store: Store, other: Store) -> None:
    lost = threading.Event()
    with attempt(store, 1, lost):
        lost.set()
        write(store, "late", "of a runner that froze")
    assert other.files is not None
    assert other.files.names(f"jobs/{JOB}") == []


def test_work_that_is_done_is_deleted_everywhere(store: Store, other: Store) -> None:
    with attempt(store, 1):
        write(store, "kept", "something")
    delete_work(store, JOB)
    assert not job_files.work_dir(store, JOB).exists()
    assert other.files is not None
    fetch_work(other, other.files, JOB)
    assert not job_files.work_dir(other, JOB).exists()


def test_the_log_of_every_machine_is_read_anywhere(
    store: Store, other: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, (machine, where) in enumerate([("a", store), ("b", other), ("a", store)], start=1):
        monkeypatch.setattr(shared_work, "this_machine", lambda machine=machine: machine)
        job_files.job_dir(where, JOB).mkdir(parents=True, exist_ok=True)
        with attempt(where, number), job_files.log_path(where, JOB).open("a") as log:
            log.write(f"attempt {number} on {machine}\n")
    said = read_log(Store(replace(store.settings, data_dir=tmp_path / "third"), store._reader), JOB)
    assert said.split("\n") == ["attempt 2 on b", "", "attempt 1 on a", "attempt 3 on a", ""]


def test_a_place_that_is_away_for_a_while_is_waited_for(store: Store, other: Store, tmp_path: Path) -> None:
    with attempt(store, 1):
        (tmp_path / "shared").write_text("in the way")
        write(store, "kept", "meanwhile")
        threading.Event().wait(0.1)
        (tmp_path / "shared").unlink()
        threading.Event().wait(0.1)
    assert other.files is not None
    assert other.files.read(f"jobs/{JOB}/work/kept") == b"meanwhile"


def test_work_does_not_begin_without_what_was_done(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_folder: str) -> list[str]:
        raise FilesUnreachable("The shared files do not answer.")

    assert store.files is not None
    monkeypatch.setattr(store.files, "names", away)
    with pytest.raises(FilesUnreachable), attempt(store, 1):
        pytest.fail("the work began")
