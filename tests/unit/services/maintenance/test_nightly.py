"""The program backs up by itself at the hour that an administrator chose, once a night, or says why it cannot."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from colpo_core.errors import InputRejected, PermissionDenied
from colpo_core.services.common.callers import Caller
from colpo_core.services.maintenance import nightly
from colpo_core.services.maintenance.back_ups import last_back_up
from colpo_core.services.maintenance.checking import last_check
from colpo_core.services.people.accounts import list_audit
from colpo_core.store import Store
from colpo_core.store.backup_folder import generations, read_facts
from tests.support.clinic import Clinic

pytestmark = pytest.mark.sqlite
TODAY = datetime.now().astimezone().replace(hour=12, minute=0, second=0, microsecond=0)


def at(store: Store, monkeypatch: pytest.MonkeyPatch, hours: float) -> bool:
    """Look so many hours after noon of today; whether a back-up was made."""
    monkeypatch.setattr(nightly, "utc_now", lambda: TODAY + timedelta(hours=hours))
    thread = nightly.back_up_if_due(store)
    if thread is not None:
        thread.join()
    return thread is not None


@pytest.fixture
def planned(store: Store, administrator: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    Clinic(store).add_case()
    nightly.set_plan(administrator, folder=str(tmp_path / "copy"), hour=2, kept=3)
    with store.writing() as session:
        row = nightly._newest(session)
        assert row is not None
        row.set_at = TODAY
    return tmp_path / "copy"


def test_nothing_happens_until_a_folder_is_chosen(
    store: Store, administrator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert nightly.get_plan(administrator) is None
    assert not at(store, monkeypatch, 100)


def test_it_is_made_once_a_night_from_the_chosen_hour_on(
    store: Store, administrator: Caller, planned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [hours for hours in (0.1, 13.9, 14.1, 15, 37.9, 38.1, 62.5) if at(store, monkeypatch, hours)]
    assert made == [14.1, 38.1, 62.5]
    assert read_facts(planned).faults == ()
    assert len(generations(planned)) == 2
    state = last_back_up(administrator)
    assert (state.failed_at, state.n_faults, state.n_check_faults) == (None, 0, 0)
    assert state.checked_at is not None
    assert last_check(administrator) is not None
    actions = [entry.action for entry in list_audit(administrator, before=None, limit=20).entries]
    assert (actions.count("back up store"), actions.count("check store")) == (3, 1)


def test_a_night_that_the_program_slept_through_is_made_up_for(
    store: Store, planned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert at(store, monkeypatch, 20)
    assert not at(store, monkeypatch, 21)


def test_a_clock_that_was_put_back_does_not_stop_it(
    store: Store, planned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert at(store, monkeypatch, 24 * 400)
    assert at(store, monkeypatch, 14.1)
    assert not at(store, monkeypatch, 14.2)


def test_a_disk_that_is_not_there_is_said_and_no_folder_is_made_in_its_place(
    store: Store, administrator: Caller, annotator: Caller, planned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned.rmdir()
    assert at(store, monkeypatch, 14.1)
    assert not planned.exists()
    state = last_back_up(annotator)
    assert state.failed_at is not None
    assert "Look whether its disk is connected" in state.failure
    planned.mkdir()
    assert at(store, monkeypatch, 38.1)
    assert last_back_up(annotator).failed_at is None


def test_an_empty_folder_switches_it_off(
    store: Store, administrator: Caller, planned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = nightly.get_plan(administrator)
    assert plan is not None
    assert (plan.folder, plan.hour, plan.kept, plan.set_by) == (str(planned), 2, 3, "Ada")
    assert nightly.set_plan(administrator, folder=" ", hour=2) is None
    assert not at(store, monkeypatch, 100)


@pytest.mark.parametrize(
    ("folder", "hour", "kept", "sentence"),
    [
        ("copies", 2, 7, "whole path"),
        ("/nowhere/at/all", 2, 7, "There is no folder"),
        ("{data}/copy", 2, 7, "inside the store"),
        ("{tmp}/copy", 24, 7, "between 0 and 23"),
        ("{tmp}/copy", 2, 0, "Between 1 and 60"),
    ],
)
def test_a_folder_that_is_no_place_for_it_is_refused(
    store: Store, administrator: Caller, tmp_path: Path, folder: str, hour: int, kept: int, sentence: str
) -> None:
    place = folder.format(data=store.settings.data_dir, tmp=tmp_path)
    with pytest.raises(InputRejected, match=sentence):
        nightly.set_plan(administrator, folder=place, hour=hour, kept=kept)
    assert nightly.get_plan(administrator) is None
    assert not (tmp_path / "copy").exists()


def test_only_administrators_plan(annotator: Caller) -> None:
    with pytest.raises(PermissionDenied):
        nightly.set_plan(annotator, folder="/x", hour=2)
    with pytest.raises(PermissionDenied):
        nightly.get_plan(annotator)
