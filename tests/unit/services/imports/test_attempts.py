"""An import whose disk becomes full: what came in before is kept and told."""

import errno
import io
import os
from datetime import date
from pathlib import Path

import pytest

from colpo_core.records.cases.cases import ImportOutcome, ImportStatus, IncomingFile
from colpo_core.services.common.callers import Caller
from colpo_core.services.imports.attempts import Attempts
from colpo_core.services.imports.files import import_folder, import_images
from colpo_core.store import Store, blobs
from colpo_core.store.tables import Image
from tests.support.image_files import photograph, write_files
from tests.support.store_rows import count

DAY = date(2024, 5, 6)


def full_after(files: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk has room for so many files more."""
    written = 0

    def flush(descriptor: int) -> None:
        nonlocal written
        written += not os.path.isdir(f"/proc/self/fd/{descriptor}")  # noqa: PTH112 - a descriptor
        if written > files:
            raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(blobs.os, "fsync", flush)


def test_a_batch_that_fills_the_disk_is_kept_so_far_and_says_so(
    store: Store, annotator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    full_after(2, monkeypatch)
    files = [IncomingFile(f"{number}.png", photograph(number)) for number in range(5)]
    report = import_images(annotator, patient_code="P-1", case_date=DAY, files=files)
    assert [outcome.status for outcome in report.outcomes] == [ImportStatus.IMPORTED] * 2 + [ImportStatus.REFUSED] * 3
    assert all("The disk is full" in outcome.reason for outcome in report.outcomes[2:])
    assert count(store, Image) == 2
    assert not list(store.settings.blobs_dir.rglob("*.writing"))


def test_a_folder_likewise(store: Store, annotator: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path / "in", **{f"{number}.png": photograph(number) for number in range(4)})
    full_after(1, monkeypatch)
    report = import_folder(annotator, folder=tmp_path / "in", patient_code="P-1", case_date=DAY)
    assert (report.imported, report.refused) == (1, 3)


def test_what_nobody_foresaw_is_not_taken_for_a_full_disk() -> None:
    def fail() -> ImportOutcome:
        raise io.UnsupportedOperation("of a programmer")

    with pytest.raises(io.UnsupportedOperation):
        Attempts().outcome("a.png", fail)
