"""The frame around the pages: the menu by role, refusals, signing out, errors."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from colpo_core.errors import Conflict
from colpo_core.services.common.callers import Caller
from colpo_core.services.people import signing_in
from colpo_core.store import Store
from colpo_core.terms import Role
from pages._ui.frame import frame
from pages._ui.frame.pages import ROOMS, Room
from tests.support.app_pages import OpenPage
from tests.support.processes import ROOT, run_python

READER_PAGES = {"home", "read"}
ANNOTATOR_PAGES = {"home", "cases", "tasks", "annotate", "agreement", "train", "models", "review", "dashboard"}


def titles(app: Any) -> list[str]:
    return [one.value for one in app.title]


def test_the_plan_of_the_house_says_who_may_open_what() -> None:
    by_role = {role: {room.name for room in ROOMS if role in room.roles} for role in Role}
    everything = {room.name for room in ROOMS}
    assert by_role == {
        Role.ADMINISTRATOR: everything,
        Role.ANNOTATOR: ANNOTATOR_PAGES,
        Role.READER: READER_PAGES,
    }
    assert everything == ANNOTATOR_PAGES | READER_PAGES | {"studies", "admin"}
    assert {place.stem for place in (ROOT / "pages").glob("*.py")} - {"__init__"} == everything


def test_no_pages_folder_stands_beside_the_script() -> None:
    assert not (ROOT / "pages" / "_ui" / "pages").exists()
    assert (ROOT / "pages" / "_ui" / "shell.py").exists()


@pytest.mark.parametrize("role", list(Role))
def test_every_page_opens_for_its_roles_and_refuses_the_others(
    role: Role, open_page: OpenPage, administrator: Caller, annotator: Caller, reader: Caller
) -> None:
    actor = {Role.ADMINISTRATOR: administrator, Role.ANNOTATOR: annotator, Role.READER: reader}[role]
    for room in ROOMS:
        app = open_page(actor, room.name if room.name != "home" else "")
        assert not [error.value for error in app.error if "incident" in error.value], room.name
        assert (titles(app) == ["Not for your role"]) is (role not in room.roles), room.name


def test_a_reader_sees_nothing_of_admin(open_page: OpenPage, administrator: Caller, reader: Caller) -> None:
    assert titles(open_page(administrator, "admin")) == ["Administration"]
    app = open_page(reader, "admin")
    assert titles(app) == ["Not for your role"]
    assert "administrators" in app.warning[0].value
    assert not app.dataframe
    assert not app.tabs
    assert "ada" not in repr(app.main)


def test_signing_out_ends_the_next_run(
    open_page: OpenPage, store: Store, administrator: Caller, token_of: Callable[[Caller], str]
) -> None:
    app = open_page(administrator, "admin")
    signing_in.sign_out(store, token=token_of(administrator))
    app.run()
    assert titles(app) == ["You are signed out"]
    assert not app.dataframe


def test_a_role_taken_away_holds_at_the_next_run(open_page: OpenPage, store: Store, administrator: Caller) -> None:
    from colpo_core.store.tables import Person

    app = open_page(administrator, "admin")
    with store.writing() as session:
        session.get_one(Person, administrator.person_id).role = Role.READER
    app.run()
    assert titles(app) == ["Not for your role"]


def with_page(monkeypatch: pytest.MonkeyPatch, render: Callable[[], None]) -> None:
    rooms = [Room(r.name, r.title, r.icon, r.section, r.roles, render) if r.name == "home" else r for r in ROOMS]
    monkeypatch.setattr(frame, "ROOMS", tuple(rooms))


def test_a_known_error_is_shown_as_its_sentence(
    open_page: OpenPage, administrator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def render() -> None:
        raise Conflict("Somebody else was first.")

    with_page(monkeypatch, render)
    app = open_page(administrator)
    assert [error.value for error in app.error] == ["Somebody else was first."]


def test_an_unforeseen_error_is_shown_as_a_number(
    open_page: OpenPage, administrator: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def render() -> None:
        raise RuntimeError("Mrs Miller, born 1980")

    with_page(monkeypatch, render)
    app = open_page(administrator)
    shown = app.error[0].value
    number = shown.split("**")[1]
    assert number in caplog.text
    assert "Miller" not in shown + caplog.text


def test_the_web_process_never_imports_torch(tmp_path: Path) -> None:
    code = """
import importlib, pkgutil, sys
import app, colpo_core.services, colpo_core.web, pages
for package in (colpo_core.services, colpo_core.web, pages):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        # The shell is the script itself.
        if module.name != "pages._ui.shell":
            importlib.import_module(module.name)
heavy = [name for name in ("torch", "torchvision", "pytorch_grad_cam") if name in sys.modules]
print("heavy:", heavy)
"""
    done = run_python(tmp_path / "data", "-c", code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "heavy: []"
