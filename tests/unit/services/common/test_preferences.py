import pytest

from colpo_core.errors import PermissionDenied
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.preferences import Preferences, get_preferences, set_proposals
from colpo_core.store import Store
from colpo_core.store.tables import AuditEntry, Preference
from tests.support import store_rows
from tests.support.refusals import refused
from tests.support.review_desks import rows
from tests.support.store_rows import row


def test_the_model_may_propose_until_an_administrator_forbids_it(administrator: Caller, annotator: Caller) -> None:
    assert get_preferences(annotator) == Preferences(proposals=True)
    assert set_proposals(administrator, allowed=False) == Preferences(proposals=False)
    assert get_preferences(annotator) == Preferences(proposals=False)
    assert set_proposals(administrator, allowed=True) == get_preferences(annotator)


def test_each_change_is_in_the_log_once(store: Store, administrator: Caller) -> None:
    for allowed in (True, False, False, True):
        set_proposals(administrator, allowed=allowed)
    entries = store_rows.rows(store, AuditEntry)
    changed_by = row(store, Preference.changed_by)
    assert [(entry.action, entry.detail) for entry in entries] == [
        ("set preference", {"allowed": False}),
        ("set preference", {"allowed": True}),
    ]
    assert changed_by == administrator.person_id


def test_only_administrators_change_them(store: Store, annotator: Caller, reader: Caller) -> None:
    for caller in (annotator, reader):
        with pytest.raises(PermissionDenied):
            set_proposals(caller, allowed=False)
    refused(PermissionDenied, lambda: get_preferences(reader))
    assert rows(store, Preference, AuditEntry) == [[], []]
