"""What a reader may not do, on every page and in every service; and what of it the administrator is told."""

import importlib
import inspect
from collections.abc import Callable
from unittest.mock import MagicMock

import pytest

from colpo_core.errors import PermissionDenied
from colpo_core.services.common.callers import Caller
from colpo_core.services.studies import amendments as study_amendments
from colpo_core.services.studies.conduct import study_conduct
from colpo_core.terms import Label
from pages._ui.frame.pages import ROOMS
from tests.support.app_pages import OpenPage
from tests.support.conducted import make_study, read_on
from tests.support.ledger import full_name, services

# What readers are for, what is everybody's, and what only a border calls.
READERS_OWN = {
    "overview.worklist.worklist",
    "people.accounts.change_password",
    "studies.conduct.note_look",
    "studies.presenting.assigned_studies",
    "studies.readings.save_reading_draft",
    "studies.presenting.next_case",
    "studies.presenting.presented_aid",
    "studies.presenting.presented_image",
    "studies.readings.record_reading",
    "studies.refusals.note_refusal",
}


@pytest.fixture
def study_id(administrator: Caller, reader: Caller, second_reader: Caller, add_case: Callable[..., int]) -> int:
    for label in (Label.NORMAL, Label.HSIL, Label.NORMAL):
        add_case(label)
    return make_study(administrator, [reader, second_reader])


@pytest.mark.parametrize("name", sorted(services().keys() - READERS_OWN))
def test_every_service_that_is_not_for_readers_refuses_them(reader: Caller, name: str) -> None:
    module, _, function = name.rpartition(".")
    service = getattr(importlib.import_module(full_name(module)), function)
    needed = {
        one.name: MagicMock()
        for one in inspect.signature(service).parameters.values()
        if one.default is inspect.Parameter.empty and one.name != "caller"
    }
    if "limit" in inspect.signature(service).parameters:
        needed["limit"] = 1
    with pytest.raises(PermissionDenied):
        service(reader, **needed)


def test_each_page_that_a_reader_tries_is_refused_and_told_to_the_administrator(
    administrator: Caller, reader: Caller, study_id: int, open_page: OpenPage
) -> None:
    read_on(reader, study_id, at_most=1)
    forbidden = [room.name for room in ROOMS if reader.actor.role not in room.roles]
    for name in forbidden:
        app = open_page(reader, name, study=study_id, case=1, image=1, prediction=1, checkpoint=1)
        assert [one.value for one in app.title] == ["Not for your role"], name
    refused = study_conduct(administrator, study_id=study_id).refusals
    assert {one.what for one in refused} == {f"page {name}" for name in forbidden}
    app = open_page(administrator, "studies", study=study_id)
    shown = next(table.value for table in app.dataframe if "Asked for" in table.value)
    assert set(shown["Asked for"]) == {f"page {name}" for name in forbidden}


def test_a_study_that_is_not_the_readers_own_is_refused_and_recorded(
    administrator: Caller, reader: Caller, second_reader: Caller, study_id: int, open_page: OpenPage
) -> None:
    foreign = make_study(administrator, [second_reader], name="Foreign")
    app = open_page(reader, "read", study=foreign)
    assert "You do not read in such a study" in "".join(error.value for error in app.error)
    (refusal,) = study_conduct(administrator, study_id=study_id).refusals
    assert refusal.what == "page read: NotFound"
    assert study_conduct(administrator, study_id=foreign).refusals == ()


def test_the_studies_page_amends_and_lists(
    administrator: Caller, reader: Caller, study_id: int, open_page: OpenPage
) -> None:
    app = open_page(administrator, "studies", study=study_id)
    app.text_input(key="amend_reason").set_value("she dropped out").run()
    app.selectbox(key="amend_remove").select_index(0).run()
    next(one for one in app.button if one.key == "amend_remove_now").click().run()
    words = "".join(str(one.value) for one in app.markdown)
    assert "Rita was taken off the readers; what was read stays. Reason: she dropped out" in words
    study_amendments.correct_question(administrator, study_id=study_id, question="<b>", reason="**why**")
    app = open_page(administrator, "studies", study=study_id)
    assert "Amendments" in [one.value for one in app.subheader]
