import csv
import io
from dataclasses import fields, replace
from datetime import UTC, datetime

from colpo_core.studies.export import CallRow, calls_csv, ratings_csv
from colpo_core.studies.ratings import Rating
from colpo_core.terms import Label, LabelSource

ROW = CallRow(
    study="First",
    caller_kind="reader",
    caller="Rita, MD",
    channels=None,
    case_id=12,
    position=3,
    truth=Label.HSIL,
    truth_source=LabelSource.HISTOLOGY,
    call=Label.NORMAL,
    confidence=60,
    prob_hsil=None,
    threshold=None,
    seen_in_training=None,
    shown_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    answered_at=datetime(2026, 1, 2, 3, 4, 15, 250000, tzinfo=UTC),
    seconds=10.25,
    simulated=True,
)


def read(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_a_row_can_be_read_back() -> None:
    (row,) = read(calls_csv([ROW]))
    assert list(row) == [field.name for field in fields(CallRow)]
    assert row["caller"] == "Rita, MD"
    assert (row["truth"], row["call"], row["truth_source"]) == ("hsil", "normal", "histology")
    assert (row["prob_hsil"], row["confidence"], row["simulated"]) == ("", "60", "true")
    assert row["answered_at"] == "2026-01-02T03:04:15.250+00:00"


def test_no_row_leaves_the_header() -> None:
    assert calls_csv([]).decode().startswith("study,caller_kind,caller,")
    assert read(calls_csv([])) == []


def test_a_name_is_not_run_as_a_formula() -> None:
    (row,) = read(calls_csv([replace(ROW, caller="=HYPERLINK(1)", seconds=-0.5)]))
    assert row["caller"] == "'=HYPERLINK(1)"
    assert row["seconds"] == "-0.5"


def test_a_rating_keeps_all_its_digits() -> None:
    rows = [Rating("r", "x", case, True, rating) for case, rating in (("a", 0.1234567891), ("b", 0.1234567892))]
    written = [line.split(",")[-1] for line in ratings_csv(rows).decode().split()[1:]]
    assert written == ["0.1234567891", "0.1234567892"]
    assert b"patient" not in ratings_csv(rows)
    assert ratings_csv([replace(rows[0], patient="7", rating=100.0)]).decode().split() == [
        "reader,treatment,case,truth,rating,patient", "r,x,a,1,100,7",
    ]  # fmt: skip
