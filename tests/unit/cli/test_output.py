import json
import math
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from colpo_core.cli.option_types import options
from colpo_core.cli.output import (
    Answer,
    action,
    as_operator,
    listing,
    plain,
    print_json,
    print_lines,
    print_table,
    query,
)
from colpo_core.errors import NotFound
from colpo_core.services.common.callers import Caller
from colpo_core.store import Store
from colpo_core.terms import Label


@dataclass(frozen=True)
class Inner:
    label: Label
    at: datetime


@dataclass(frozen=True)
class Outer:
    inner: tuple[Inner, ...]
    day: date
    by_label: dict[Label, int]
    place: Path


def test_records_become_json(capsys: pytest.CaptureFixture[str]) -> None:
    record = Outer(
        (Inner(Label.HSIL, datetime(2026, 5, 1, 8, tzinfo=UTC)),), date(2026, 5, 1), {Label.NORMAL: 2}, Path("a/b")
    )
    print_json(record)
    assert json.loads(capsys.readouterr().out) == {
        "inner": [{"label": "hsil", "at": "2026-05-01T08:00:00+00:00"}],
        "day": "2026-05-01",
        "by_label": {"normal": 2},
        "place": "a/b",
    }


def test_what_is_no_number_never_reaches_json() -> None:
    with pytest.raises(ValueError, match="JSON"):
        print_json({"iou": math.nan})
    assert plain([1, None, "x"]) == [1, None, "x"]


def test_columns_stand_under_their_headings(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("id", "name"), [(1, "a"), (1000, None)])
    assert capsys.readouterr().out == "id    name\n1     a\n1000\n"


def test_an_error_that_a_person_can_mend_is_one_sentence(store: Store, tmp_path: Path) -> None:
    @click.command()
    def fails() -> None:
        with as_operator():
            raise NotFound("There is no case 7. Look at the list.")

    result = CliRunner().invoke(fails, env={"COLPO_DATA": str(tmp_path / "data")})
    assert result.exit_code == 1
    assert result.output == "Error: There is no case 7. Look at the list.\n"


def test_an_answer_is_printed_as_a_table_or_as_json(store: Store, tmp_path: Path) -> None:
    @query()
    @click.argument("number", type=int)
    def labels(caller: Caller, number: int) -> Answer:
        assert caller.actor.username == "operator"
        return listing([Label.NORMAL, Label.HSIL][:number], ("label",), lambda label: (label,))

    def answered(*words: str) -> str:
        return CliRunner().invoke(labels, words, env={"COLPO_DATA": str(tmp_path / "data")}).output

    assert answered("2") == "label\nnormal\nhsil\n"
    assert answered("0") == "label\n(none)\n"
    assert json.loads(answered("2", "--json")) == ["normal", "hsil"]


def test_a_failure_comes_after_the_answer(tmp_path: Path) -> None:
    @query("check", None, "case_id", of_store=False)
    @click.option("--all", "is_all", is_flag=True)
    def check(case_id: int, is_all: bool) -> Answer:
        record = {"case": case_id, "all": is_all}
        return Answer(lambda: record, lambda: click.echo("checked"), click.ClickException("One is damaged."))

    env = {"COLPO_DATA": str(tmp_path / "data")}
    text, document = (CliRunner().invoke(check, words, env=env) for words in (["7"], ["7", "--all", "--json"]))
    assert (text.exit_code, text.output) == (1, "checked\nError: One is damaged.\n")
    assert json.loads(document.stdout) == {"case": 7, "all": True}
    assert not (tmp_path / "data").exists()
    usage = CliRunner().invoke(check, ["--help"]).output
    assert usage.index("CASE_ID") < usage.index("--all") < usage.index("--json")


def test_an_action_runs_as_the_operator_in_its_group(store: Store, tmp_path: Path) -> None:
    @click.group()
    def group() -> None: ...

    @action("name", group)
    @options(click.argument("first"), click.argument("second"))
    def name(caller: Caller, first: str, second: str) -> None:
        print_lines((caller.actor.username, first, second))

    result = CliRunner().invoke(group, ["name", "a", "b"], env={"COLPO_DATA": str(tmp_path / "data")})
    assert result.output == "operator\na\nb\n"
