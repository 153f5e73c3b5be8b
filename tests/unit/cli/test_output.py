import json
import math
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from colpo_core.cli.output import Answer, as_operator, json_command, listing, plain, print_json, print_table
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
    @click.command()
    @click.argument("number", type=int)
    @json_command
    def labels(caller: Caller, number: int) -> Answer:
        assert caller.actor.username == "operator"
        return listing([Label.NORMAL, Label.HSIL][:number], ("label",), lambda label: (label,))

    def answered(*words: str) -> str:
        return CliRunner().invoke(labels, words, env={"COLPO_DATA": str(tmp_path / "data")}).output

    assert answered("2") == "label\nnormal\nhsil\n"
    assert answered("0") == "label\n(none)\n"
    assert json.loads(answered("2", "--json")) == ["normal", "hsil"]
