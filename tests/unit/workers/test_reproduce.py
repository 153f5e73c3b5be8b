"""Who may reproduce, on what, and into which folder; the reproduction itself is a stand-in here."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from sqlalchemy import select

from colpo_core.errors import Conflict, InputRejected, JobFailed, NotFound, PermissionDenied
from colpo_core.records.snapshots.snapshots import SnapshotQuery, SnapshotRecord
from colpo_core.records.training.reproduction import Reproduction
from colpo_core.records.training.settings import preset
from colpo_core.services.common.callers import Caller
from colpo_core.services.snapshots import freezing
from colpo_core.store import Store
from colpo_core.store.tables import AuditEntry
from colpo_core.terms import Label
from colpo_core.training.setup import TrainingInputs
from colpo_core.workers.reproduce import reproduce_paper
from tests.support.clinic import Clinic
from tests.support.reproduced import reproduced

FILES = {
    "fig6-segmentation.png",
    "fig7a-accuracy.png",
    "fig7b-calls.png",
    "reproduction.csv",
    "reproduction.json",
    "reproduction.txt",
    "work",
}
Call = Callable[..., Reproduction]
Asked = list[dict[str, Any]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What the training was asked for."""
    calls: Asked = []

    def stand_in(inputs: TrainingInputs, **how: Any) -> Reproduction:
        calls.append({**vars(inputs), **how})
        return reproduced(sha256=inputs.manifest.sha256)

    monkeypatch.setattr("colpo_core.training.reproduction.reproduce", stand_in)
    return calls


@pytest.fixture
def frozen(store: Store, annotator: Caller) -> SnapshotRecord:
    Clinic(store).add_cohort(8)
    return freezing.freeze_snapshot(annotator, query=SnapshotQuery("first"))


@pytest.fixture
def call(store: Store, annotator: Caller, tmp_path: Path) -> Call:
    def made(name: str = "first", **changes: Any) -> Reproduction:
        caller = changes.pop("caller", annotator)
        given = {"out": tmp_path / "out", "classifiers": ("resnet18",), **changes}
        return reproduce_paper(caller, snapshot_name=name, settings=preset("quick"), on_event=lambda _: None, **given)

    return made


@pytest.fixture
def no_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    """They take their time, and one test looks at them."""
    monkeypatch.setattr("colpo_core.exchange.reproduction_plots.write_plots", lambda _found, _folder: [])


def test_all_files_are_written_and_the_deed_is_in_the_log(
    call: Call, store: Store, asked: Asked, frozen: SnapshotRecord, annotator: Caller, tmp_path: Path
) -> None:
    found = call(classifiers=("resnet18", "resnet50", "resnet18"))
    assert {place.name for place in (tmp_path / "out").iterdir()} == FILES
    assert "LEAKS" in (tmp_path / "out" / "reproduction.txt").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "out" / "reproduction.json").read_text())["snapshot_sha256"] == found.snapshot_sha256
    (given,) = asked
    assert given["classifiers"] == ("resnet18", "resnet50")
    assert given["work_dir"] == tmp_path / "out" / "work"
    item = next(item for item in given["manifest"].items if item.label is Label.HSIL)
    assert given["source"].load_image(item.image_sha256).shape == (item.height_px, item.width_px, 3)
    assert given["source"].load_mask(item.mask_sha256, item.height_px, item.width_px).any()
    with store.reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "reproduce paper")).one()
    assert (entry.person_id, entry.subject) == (annotator.person_id, f"snapshot {frozen.id}")


@pytest.mark.usefixtures("no_plots", "frozen")
def test_the_same_folder_goes_on_and_another_snapshots_is_refused(
    call: Call, asked: Asked, annotator: Caller, tmp_path: Path
) -> None:
    call()
    call()
    freezing.freeze_snapshot(annotator, query=SnapshotQuery("second", seed=5))
    before = (tmp_path / "out" / "reproduction.json").read_bytes()
    with pytest.raises(Conflict, match="another snapshot"):
        call("second")
    # The folder of the work may be deleted in the end: the result still names its snapshot.
    (tmp_path / "out" / "work" / "snapshot.json").unlink()
    with pytest.raises(Conflict, match="another snapshot"):
        call("second")
    assert (tmp_path / "out" / "reproduction.json").read_bytes() == before
    call()
    assert len(asked) == 3


@pytest.mark.usefixtures("frozen")
def test_a_foreign_file_in_the_result_s_place_is_not_overwritten(call: Call, asked: Asked, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "reproduction.json").write_text("not JSON")
    with pytest.raises(Conflict):
        call()
    assert not asked


@pytest.mark.usefixtures("frozen")
def test_a_failed_reproduction_leaves_no_table(call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    failing = Mock(side_effect=JobFailed("The loss is not a number any more."))
    monkeypatch.setattr("colpo_core.training.reproduction.reproduce", failing)
    with pytest.raises(JobFailed):
        call()
    assert {place.name for place in (tmp_path / "out").iterdir()} == {"work"}


def test_who_and_what_is_refused(
    call: Call, store: Store, asked: Asked, annotator: Caller, reader: Caller, tmp_path: Path
) -> None:
    Clinic(store).add_cohort(8)
    freezing.freeze_snapshot(annotator, query=SnapshotQuery("kept", external=True))
    with pytest.raises(PermissionDenied):
        call("kept", caller=reader)
    with pytest.raises(NotFound):
        call("none")
    with pytest.raises(InputRejected, match="nothing is trained on it"):
        call("kept")
    assert not asked
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("frozen")
def test_a_folder_that_is_a_file_is_refused(call: Call, asked: Asked, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(InputRejected, match="cannot be written"):
        call()
    assert not asked
