"""The administration page, pressed through."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from colpo_core.errors import InputRejected
from colpo_core.services.common import audit, preferences
from colpo_core.services.common.callers import Caller
from colpo_core.services.maintenance import back_ups, nightly
from colpo_core.services.people import accounts as people
from colpo_core.services.people import signing_in
from colpo_core.store import Store
from colpo_core.store.tables import Image
from colpo_core.terms import Role
from tests.support.app_pages import OpenPage, press
from tests.support.clinic import Clinic

PASSWORD = "wool lamp harbour"


def fill(app: Any, username: str, password: str) -> None:
    fields = {one.label: one for one in app.text_input}
    fields["Name"].set_value("Dr Nora Novak")
    fields["Username"].set_value(username)
    fields["First password"].set_value(password)
    roles = next(one for one in app.selectbox if one.label == "Role")
    roles.set_value(Role.READER)
    press(app, "Create account")


def test_an_account_is_made_and_told(open_page: OpenPage, store: Store, administrator: Caller) -> None:
    app = open_page(administrator, "admin")
    fill(app, "Nora", PASSWORD)
    assert [one.value for one in app.success] == ["Dr Nora Novak can sign in now as nora."]
    assert signing_in.sign_in(store, username="nora", password=PASSWORD).actor.role is Role.READER
    assert {one.label: one.value for one in app.text_input}["First password"] == ""
    assert "Dr Nora Novak" in app.dataframe[0].value["Name"].tolist()


def test_a_refused_account_says_why_and_keeps_the_form(open_page: OpenPage, administrator: Caller) -> None:
    app = open_page(administrator, "admin")
    fill(app, "nora", "short")
    assert [one.value for one in app.error] == ["The password needs at least 10 characters."]
    assert {one.label: one.value for one in app.text_input}["Username"] == "nora"
    assert [one.username for one in people.list_people(administrator)] == ["ada"]


def open_log(open_page: OpenPage, caller: Caller) -> Any:
    app = open_page(caller, "admin")
    app.session_state["admin_tab"] = ":material/history: Log"
    return app.run()


def test_the_log_turns_its_pages(open_page: OpenPage, store: Store, administrator: Caller) -> None:
    with store.writing() as session:
        for number in range(53):
            audit.record(session, administrator.actor, "open case", f"case {number}")
    app = open_log(open_page, administrator)
    newest = app.dataframe[0].value
    assert len(newest) == 50
    press(app, "Older")
    assert len(app.dataframe[0].value) == 3
    assert set(app.dataframe[0].value["To"]).isdisjoint(newest["To"])
    press(app, "Newer")
    assert app.dataframe[0].value["To"].tolist() == newest["To"].tolist()


def test_a_search_in_the_log_that_finds_nothing_says_so(open_page: OpenPage, administrator: Caller) -> None:
    app = open_log(open_page, administrator)
    next(one for one in app.text_input if one.label == "To what").set_value("case 999")
    app.run()
    assert "Nothing of this" in app.info[0].value


def test_the_store_is_measured(open_page: OpenPage, store: Store, administrator: Caller) -> None:
    app = open_page(administrator, "admin")
    app.session_state["admin_tab"] = ":material/database: Store"
    app.run()
    assert str(store.settings.data_dir) in app.code[0].value
    assert "Images and maps" in app.dataframe[0].value["Part"].tolist()


def test_an_error_in_a_callback_gets_a_number() -> None:
    def script() -> None:
        from colpo_core.errors import Conflict
        from pages._ui.shared.errors import on_script_error

        assert on_script_error(Conflict("Somebody was first."))
        assert on_script_error(RuntimeError("Mrs Miller"))

    shown = [one.value for one in AppTest.from_function(script).run().error]
    assert shown[0] == "Somebody was first."
    assert "incident number" in shown[1]
    assert "Miller" not in shown[1]


def test_proposals_are_switched_off_and_on(open_page: OpenPage, administrator: Caller) -> None:
    app = open_page(administrator, "admin")
    app.session_state["admin_tab"] = ":material/tune: Settings"
    app.run()
    assert app.toggle[0].value
    app.toggle[0].set_value(False).run()
    assert not preferences.get_preferences(administrator).proposals
    assert "switched off" in app.success[0].value
    preferences.set_proposals(administrator, allowed=True)
    app.run()
    assert app.toggle[0].value
    assert not app.success


def open_store_tab(open_page: OpenPage, caller: Caller) -> Any:
    app = open_page(caller, "admin")
    app.session_state["admin_tab"] = ":material/database: Store"
    return app.run()


@pytest.mark.sqlite
def test_the_store_is_checked_and_what_is_wrong_is_named(
    open_page: OpenPage, store: Store, administrator: Caller
) -> None:
    case = Clinic(store).add_case()
    app = open_store_tab(open_page, administrator)
    press(app, "Check the store now")
    assert any("Nothing was wrong" in one.value for one in app.success)
    with store.reading() as session:
        store.blobs.path(session.get_one(Image, case.image_id).sha256).unlink()
    press(app, "Check the store now")
    assert any("1 fault found" in one.value for one in app.error)
    assert any("The photograph of image 1 in case 1 is missing" in one.value for one in app.text)


@pytest.mark.sqlite
def test_back_ups_by_night_are_set_and_a_wrong_folder_is_refused(
    open_page: OpenPage, administrator: Caller, tmp_path: Path
) -> None:
    app = open_store_tab(open_page, administrator)
    app.text_input(key="plan_folder").set_value("here")
    press(app, "Save")
    assert any("whole path" in one.value for one in app.error)
    app.text_input(key="plan_folder").set_value(str(tmp_path / "copy"))
    press(app, "Save")
    assert any("backed up every night at 2:00" in one.value for one in app.success)
    plan = nightly.get_plan(administrator)
    assert plan is not None
    assert (plan.folder, plan.hour, plan.kept) == (str(tmp_path / "copy"), 2, 7)


@pytest.mark.sqlite
def test_home_says_how_old_the_back_up_is_and_why_one_failed(
    open_page: OpenPage, store: Store, administrator: Caller, tmp_path: Path
) -> None:
    Clinic(store).add_case()
    app = open_page(administrator)
    assert any("never backed up" in one.value for one in app.warning)
    back_ups.back_up(administrator, folder=tmp_path / "copy")
    assert any("Last back-up" in one.value for one in app.run().success)
    with pytest.raises(InputRejected):
        back_ups.back_up(administrator, folder=store.settings.data_dir / "copy")
    assert any("would be lost with it" in one.value for one in app.run().error)
