"""Who may do what: the table says what the services check, and no service goes without."""

import ast
from pathlib import Path

import pytest

from colpo_core.errors import PermissionDenied
from colpo_core.services.annotations.own_masks import submitted_masks
from colpo_core.services.common.callers import Caller
from colpo_core.services.people.access import as_markdown, list_access
from colpo_core.terms import Role

CHECKOUT = Path(__file__).parents[4]
# They write down what somebody has done, show nothing, and are called by what has checked the role.
FOR_EVERYBODY = {
    "studies.conduct.note_look",
    "studies.refusals.note_refusal",
    "common.exposures.note",
    "common.exposures.note_images",
    "common.exposures.note_masks",
}


def services_with_a_caller() -> set[str]:
    """Every public function of the services that takes a caller, read off its source."""
    room = CHECKOUT / "colpo_core" / "services"
    return {
        ".".join((*file.relative_to(room).with_suffix("").parts, node.name))
        for file in room.rglob("*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
        if "caller" in {argument.arg for argument in node.args.args}
    }


def test_every_service_says_who_may_call_it() -> None:
    table = {f"{line.subject}.{line.service}": line.roles for line in list_access()}
    assert services_with_a_caller() - table.keys() == FOR_EVERYBODY
    assert table["cases.case.get_case"] == (Role.ADMINISTRATOR, Role.ANNOTATOR)
    assert table["people.accounts.create_person"] == (Role.ADMINISTRATOR,)
    assert table["studies.readings.record_reading"] == (Role.READER,)
    assert all(line.purpose.endswith((".", ":")) for line in list_access())


def test_what_runs_networks_and_what_several_machines_need_are_in_the_table_too() -> None:
    table = {f"{line.subject}.{line.service}": line.roles for line in list_access()}
    assert table["workers.foreground.predict_files"] == (Role.ADMINISTRATOR, Role.ANNOTATOR)
    assert table["cluster.sharing_files.share_files"] == (Role.ADMINISTRATOR,)


def test_no_guard_is_written_in_a_form_that_the_table_overlooks() -> None:
    n_guards = sum(
        file.read_text(encoding="utf-8").count("\n@allowed(") for file in (CHECKOUT / "colpo_core").rglob("*.py")
    )
    assert len(list_access()) == n_guards


def test_the_documented_table_is_the_one_that_is_checked() -> None:
    documented = (CHECKOUT / "docs" / "access.md").read_text(encoding="utf-8")
    assert documented == as_markdown(list_access()), "write it anew: `python -m colpo_core people access --markdown`"


def test_whoever_has_another_role_is_refused_before_anything_is_read(reader: Caller) -> None:
    with pytest.raises(PermissionDenied, match="This is for administrators or annotators"):
        submitted_masks(reader, image_id=999)
