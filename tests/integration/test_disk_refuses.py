"""A store on a disk that is really full, and one that is really read-only: a sentence everywhere, and nothing lost."""

import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from colpo_core.images.masks import encode_rle
from colpo_core.records.cases.cases import IncomingFile
from colpo_core.services.annotations import own_masks
from colpo_core.services.common import disk_probe
from colpo_core.services.common.callers import Caller
from colpo_core.services.imports.files import import_images
from colpo_core.services.people import accounts
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.terms import Finding
from tests.conftest import add_person
from tests.support.browsers import Browser
from tests.support.image_files import photograph
from tests.support.processes import run_python

PASSWORD = "wool lamp harbour"


class Disk:
    """A small disk in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self) -> None:
        """Leave not a byte."""
        with (self.folder / "ballast").open("wb", buffering=0) as ballast:
            for size in (1024 * 1024, 4096):
                try:
                    while True:
                        ballast.write(bytes(size))
                except OSError:
                    continue

    def empty(self) -> None:
        (self.folder / "ballast").unlink()

    def remount(self, how: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{how}", str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(folder)]
    if os.name == "nt" or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this account may not mount a disk")
    yield Disk(folder)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def settings(disk: Disk) -> Settings:
    return Settings(data_dir=disk.folder / "data")


@pytest.fixture
def painted(
    store: Store, token_of: Callable[[Caller], str], monkeypatch: pytest.MonkeyPatch
) -> tuple[Browser, Caller, str]:
    """An annotator's browser, and the document of the one image."""
    monkeypatch.setattr(disk_probe, "_WELL_SECONDS", 0.0)
    monkeypatch.setattr(disk_probe, "_UNWELL_SECONDS", 0.0)
    accounts.create_first_administrator(store, username="chief", display_name="", password=PASSWORD)
    caller = add_person(store, "anna")
    sound = IncomingFile("a.png", photograph(1))
    assert import_images(caller, patient_code="P-1", case_date=date(2024, 5, 6), files=[sound]).imported == 1
    document = own_masks.open_annotation(caller, image_id=1, finding=Finding.ACETOWHITE).document_id
    return Browser(store, token_of(caller)), caller, document


def stroke(browser: Browser, document: str, *, base_seq: int) -> tuple[int, str]:
    held = browser.get(f"/colpo/annotations/{document}").json()
    code = encode_rle(np.full((held["height_px"], held["width_px"]), base_seq % 2 == 0))
    address = f"/colpo/annotations/{document}?base_seq={base_seq}&strokes=1"
    answer = browser.ask("PUT", address, content=code)
    return answer.status_code, answer.json().get("error", "")


def test_a_full_disk_is_said_at_every_border_and_loses_nothing(
    store: Store, disk: Disk, painted: tuple[Browser, Caller, str]
) -> None:
    browser, caller, document = painted
    assert browser.get("/colpo/health").status_code == 200
    assert stroke(browser, document, base_seq=0) == (200, "")
    disk.fill()
    try:
        status, sentence = stroke(browser, document, base_seq=1)
        assert (status, "full" in sentence) == (507, True), sentence
        health = browser.get("/colpo/health")
        assert (health.status_code, health.json()) == (503, {"status": "the store cannot be written"})
        thumbnail = browser.get("/colpo/images/1/thumbnail")
        assert (thumbnail.status_code, thumbnail.headers["content-type"]) == (200, "image/jpeg")
        signed = Browser(store).ask("POST", "/login", data={"username": "chief", "password": PASSWORD})
        assert signed.status_code == 507
        assert "What was confirmed before is kept." in signed.text
        files = [IncomingFile(f"{number}.png", photograph(number)) for number in (2, 3)]
        report = import_images(caller, patient_code="P-1", case_date=date(2024, 5, 6), files=files)
        assert (report.imported, report.refused) == (0, 2)
        refused_command(store.settings.data_dir, "The disk", "people", "activate", "2", "--off")
    finally:
        disk.empty()
    assert browser.get("/colpo/health").status_code == 200
    assert browser.get(f"/colpo/annotations/{document}").json()["seq"] == 1
    assert stroke(browser, document, base_seq=1) == (200, "")


def test_a_read_only_disk_likewise(store: Store, disk: Disk, painted: tuple[Browser, Caller, str]) -> None:
    browser, _, document = painted
    assert stroke(browser, document, base_seq=0) == (200, "")
    store.close()  # gives the files back; the next question opens them again
    disk.remount("ro")
    try:
        refusals = [
            browser.ask("PUT", f"/colpo/annotations/{document}?base_seq=1", content=b""),
            browser.get("/colpo/images/1/thumbnail"),
            Browser(store).ask("POST", "/login", data={"username": "chief", "password": PASSWORD}),
        ]
        assert [answer.status_code for answer in refusals] == [507] * 3
        assert all("What was confirmed before is kept." in answer.text for answer in refusals)
        assert browser.get("/colpo/health").status_code == 503
        refused_command(store.settings.data_dir, "The disk", "people", "list")
    finally:
        store.close()
        disk.remount("rw")
    assert browser.get(f"/colpo/annotations/{document}").json()["seq"] == 1
    assert stroke(browser, document, base_seq=1) == (200, "")


def refused_command(data_dir: Path, words: str, *command: str) -> None:
    """A command ends with a sentence, and not with a traceback."""
    ended = run_python(data_dir, "-m", "colpo_core", *command)
    assert ended.returncode == 1, ended.stderr
    assert "Traceback" not in ended.stderr
    assert f"Error: {words}" in ended.stderr
