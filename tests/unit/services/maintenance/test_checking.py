"""The check of the whole store finds each kind of fault, changes nothing, and is kept."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest
from sqlalchemy import text

from colpo_core.errors import PermissionDenied
from colpo_core.records.maintenance import FaultKind, StoreFault
from colpo_core.services.common.callers import Caller
from colpo_core.services.maintenance import back_ups
from colpo_core.services.maintenance.checking import check_store, last_check
from colpo_core.store import Store
from colpo_core.store.shared_files import blob_place
from tests.support.clinic import PredictedClinic, do_something
from tests.support.whole_stores import rot, whole_clinic

pytestmark = pytest.mark.sqlite


@pytest.fixture
def desk(administrator: Caller) -> PredictedClinic:
    return whole_clinic(administrator)


def faults_after(caller: Caller, *statements: str) -> tuple[StoreFault, ...]:
    """What is found after something was changed past the program."""
    with caller.store.writing() as session:
        session.execute(text("PRAGMA defer_foreign_keys = ON"))
        for statement in statements:
            session.execute(text(statement))
    return check_store(caller).faults


def test_a_whole_store_has_no_fault_and_the_check_is_kept(
    store: Store, administrator: Caller, desk: PredictedClinic
) -> None:
    assert last_check(administrator) is None
    told: list[tuple[int, int]] = []
    report = check_store(administrator, on_file=lambda done, total: told.append((done, total)))
    assert (report.faults, report.unnamed) == ((), ())
    assert report.n_files == 10
    assert report.size_bytes == sum(
        path.stat().st_size for part in ("blobs", "checkpoints") for path in (store.settings.data_dir / part).rglob("*")
        if path.is_file()
    )  # fmt: skip
    assert told[-1] == (report.n_files, report.n_files)
    assert last_check(administrator) == report


def test_missing_and_rotten_files_are_named_with_what_they_are(
    store: Store, administrator: Caller, desk: PredictedClinic
) -> None:
    with store.reading() as session:
        first, second = session.execute(text("SELECT sha256 FROM images ORDER BY id LIMIT 2")).scalars()
    store.blobs.path(first).unlink()
    rot(store.blobs.path(second))
    weights = store.settings.checkpoints_dir / "model-1" / "weights.safetensors"
    rot(weights)
    faults = {fault.place: fault for fault in check_store(administrator).faults}
    assert {place: fault.kind for place, fault in faults.items()} == {
        blob_place(first): FaultKind.MISSING,
        blob_place(second): FaultKind.DAMAGED,
        "checkpoints/model-1/weights.safetensors": FaultKind.DAMAGED,
    }
    assert faults[blob_place(first)].sentence.startswith("The photograph of image 1 in case 1 is missing. Put it back")
    assert "/" + first[:2] in str(store.blobs.path(first))
    kept = last_check(administrator)
    assert kept is not None
    assert {fault.place for fault in kept.faults} == set(faults)


@pytest.mark.parametrize(
    ("statement", "kind", "place"),
    [
        ("UPDATE case_summaries SET n_images = 9 WHERE case_id = 1", FaultKind.COUNT, "case 1"),
        ("UPDATE case_summaries SET prob_hsil_4ch = 0.123 WHERE case_id = 2", FaultKind.COUNT, "case 2"),
        ("DELETE FROM case_summaries WHERE case_id = 3", FaultKind.COUNT, "case 3"),
        ("INSERT INTO case_reviewers VALUES (1, 1, 'overrule')", FaultKind.COUNT, "case 1"),
        ("INSERT INTO case_agreements VALUES (2, 0.5)", FaultKind.COUNT, "case 2"),
        ("UPDATE masks SET rle = x'00' WHERE id = 1", FaultKind.CONTENT, "mask 1"),
        ("DROP TRIGGER audit_log_refuses_delete", FaultKind.LOG, "audit_log"),
        ("DELETE FROM people WHERE username = 'painter'", FaultKind.DATABASE, "annotations 1"),
    ],
)
def test_what_was_changed_past_the_program_is_found(
    store: Store, administrator: Caller, desk: PredictedClinic, statement: str, kind: FaultKind, place: str
) -> None:
    if kind is FaultKind.DATABASE:
        with closing(sqlite3.connect(store.settings.database_path)) as connection:  # without foreign keys
            connection.execute(statement)
            connection.commit()
        faults = check_store(administrator).faults
    else:
        faults = faults_after(administrator, statement)
    assert (kind, place) in {(fault.kind, fault.place) for fault in faults}


def test_lines_that_are_gone_from_the_log_are_found(store: Store, administrator: Caller) -> None:
    for _ in range(6):
        do_something(administrator)
    faults = faults_after(
        administrator, "DROP TRIGGER audit_log_refuses_delete", "DELETE FROM audit_log WHERE id IN (3, 4)"
    )
    assert "Lines 3 to 4 of the log are gone" in " ".join(fault.sentence for fault in faults)


def test_a_manifest_that_is_whole_and_no_manifest_is_found(
    store: Store, administrator: Caller, desk: PredictedClinic
) -> None:
    sha256 = store.blobs.put(b'{"of": "another program"}')
    faults = faults_after(administrator, f"UPDATE snapshots SET sha256 = '{sha256}'")  # noqa: S608 - a hash
    assert {(fault.kind, fault.place) for fault in faults} == {(FaultKind.CONTENT, "snapshot 1")}


def test_files_that_belong_to_nothing_are_listed_once_they_are_not_in_flight(
    store: Store, administrator: Caller, desk: PredictedClinic
) -> None:
    path = store.blobs.path(store.blobs.put(b"left"))
    assert check_store(administrator).unnamed == ()
    os.utime(path, (0, 0))
    report = check_store(administrator)
    assert report.unnamed == (path.relative_to(store.settings.data_dir).as_posix(),)
    assert report.faults == ()


def test_what_was_counted_wrong_is_counted_anew_by_healing(
    store: Store, administrator: Caller, desk: PredictedClinic
) -> None:
    assert faults_after(
        administrator, "UPDATE case_summaries SET n_images = 9", "INSERT INTO case_agreements VALUES (2, 0.5)"
    )
    back_ups.heal(administrator, folder=None)
    assert check_store(administrator).faults == ()


def test_only_administrators_check(annotator: Caller, reader: Caller) -> None:
    ask: Callable[[Caller], object]
    for ask in (check_store, last_check):
        for caller in (annotator, reader):
            with pytest.raises(PermissionDenied):
                ask(caller)
