"""Whether the store's folder can be written."""

import errno
import os
from pathlib import Path

import pytest

from colpo_core.services.common.disk_probe import DiskProbe, probe_of


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_full_disk_is_noticed_and_so_is_new_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, is_full = Clock(), False

    def flush(descriptor: int) -> None:
        if is_full:
            raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(os, "fsync", flush)
    probe = DiskProbe(tmp_path, clock)
    assert probe.is_writable()
    is_full = True
    assert probe.is_writable()  # not tried at each question
    clock.now += 30
    assert not probe.is_writable()
    is_full = False
    assert not probe.is_writable()
    clock.now += 2
    assert probe.is_writable()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_gone_cannot_be_written(tmp_path: Path) -> None:
    assert not DiskProbe(tmp_path / "gone").is_writable()


def test_a_process_has_one_probe_a_folder(tmp_path: Path) -> None:
    assert probe_of(tmp_path) is probe_of(tmp_path)
