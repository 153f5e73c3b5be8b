"""Files of ratings of any make, and those that can be misread, as the command `analyse` takes them."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.support.analysed import run


def test_what_does_not_fit_is_a_sentence_and_no_file(ratings: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"

    def refused(*words: str) -> str:
        done = run(*words, "--json", str(out))
        assert done.exit_code == 1
        assert not out.exists()
        return done.output

    doubled = tmp_path / "doubled.csv"
    doubled.write_text(ratings.read_text() + "A,alone,0,1,5,x\n")
    assert "holds ratings twice: reader A, treatment alone, case 0" in refused(str(doubled))
    czech = tmp_path / "czech.csv"
    czech.write_bytes("reader,treatment,case,truth,rating\nDvořák,1,1,1,2\n".encode("cp1250"))
    assert "no UTF-8 text" in refused(str(czech))
    assert "no treatment “none”" in refused(str(ratings), "--arm", "none")
    assert "margin lies between" in refused(str(ratings), "--margin", "5")
    assert "need a threshold (--threshold)" in refused(str(ratings), "--prevalence", "0.05")
    assert "sensitivity needs a threshold" in refused(str(ratings), "--margin", "0.05", "--endpoint", "sensitivity")
    nowhere = run(str(ratings), "--json", str(tmp_path / "no" / "where.json"))
    assert nowhere.exit_code == 1
    assert "cannot be written" in nowhere.output


def figures_of(place: Path, *words: str) -> dict[str, Any]:
    done = run(str(place), "--json", str(place.with_suffix(".json")), *words)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(place.with_suffix(".json").read_text())
    return found


def test_a_file_of_any_make_gives_the_same_figures(ratings: Path, tmp_path: Path) -> None:
    expected = figures_of(ratings, "--threshold", "1")
    rows = list(csv.reader(ratings.read_text().splitlines()))
    head, body = [one.title() for one in rows[0]], rows[1:]
    for row in body:
        row[3] = "TRUE" if row[3] == "1" else "FALSE"
    german = tmp_path / "german.csv"
    german.write_bytes(
        "\r\n".join(";".join(row).replace(".", ",") for row in [head, *body, [""] * 6]).encode("utf-8-sig")
    )
    tabs = tmp_path / "tabs.csv"
    tabs.write_text("sep=\t\n" + "\n".join("\t".join(row) for row in [head, *body]), encoding="utf-16")
    words = tmp_path / "words.csv"
    with words.open("w", newline="") as file:
        csv.writer(file).writerows(
            [
                head,
                *(
                    [*row[:3], {"TRUE": "hsil", "FALSE": "normal"}[row[3]], row[4].replace(".", ","), row[5]]
                    for row in body
                ),
            ]
        )
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [head, *([*row[:3], row[3] == "TRUE", float(row[4]), row[5]] for row in body)]:
        sheet.append(row)
    book.save(tmp_path / "book.xlsx")
    for place in (german, tabs, words, tmp_path / "book.xlsx"):
        found = figures_of(place, "--threshold", "1")
        notes = found.pop("table_notes")
        assert found == {name: value for name, value in expected.items() if name != "table_notes"}, place.name
        assert bool(notes) == (place is german), "its last row is empty"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda row: [*row[:4], *row[4].split("."), *row[5:]], "has 7 cells, and the headings are 6. A decimal comma?"),
        (lambda row: [*row, "2"] if row[0] != "reader" else [*row, "rating"], "column “rating” twice"),
        (lambda row: [*row[:2], f"C{int(row[2]) % 9}" if row[0] == "A" else f"c{int(row[2]) % 9}", *row[3:]]
         if row[0] != "reader" else row, "nearly one name"),
        (lambda row: [*row[:4], row[4].replace(".", "_"), *row[5:]], "holds marks between its digits"),
        (lambda row: row[:3] if row[0] == "B" else row, "has no truth, rating, note"),
    ],
)  # fmt: skip
def test_a_file_that_can_be_misread_is_refused_with_its_line(
    ratings: Path, tmp_path: Path, change: Callable[[list[str]], list[str]], words: str
) -> None:
    rows = list(csv.reader(ratings.read_text().splitlines()))
    place = tmp_path / "changed.csv"
    place.write_text("\n".join(",".join(change(row)) for row in rows) + "\n")
    done = run(str(place), "--json", str(tmp_path / "out.json"))
    assert done.exit_code == 1
    assert words in done.output
    assert "Line " in done.output
    assert not (tmp_path / "out.json").exists()


def test_a_reader_who_dropped_out_changes_the_agreement_of_nobody_else(ratings: Path, tmp_path: Path) -> None:
    whole = figures_of(ratings, "--threshold", "1")["agreement"]["alone"]
    kept = [line for line in ratings.read_text().splitlines() if not line.startswith("C,") or line.split(",")[2] < "12"]
    place = tmp_path / "dropped.csv"
    place.write_text("\n".join(kept) + "\n")
    dropped = figures_of(place, "--threshold", "1")["agreement"]["alone"]
    assert dropped["pairs"][0] == whole["pairs"][0]
    assert (dropped["cohen_n"]["A-B"], dropped["cohen_n"]["A-C"], dropped["fleiss_n"]) == (40, 4, 4)
    said = run(str(place), "--threshold", "1").output
    assert "A and B, 40 cases: Cohen's kappa" in said
    assert "4 cases read by all" in said
    assert "40 cases read by two or more" in said


def test_no_pair_is_lost_by_its_readers_names(ratings: Path, tmp_path: Path) -> None:
    names = {"A": "A", "B": "A-B", "C": "B-C"}
    lines = [line.split(",") for line in ratings.read_text().splitlines()]
    more = [["C", *line[1:]] for line in lines if line[0] == "A"]
    place = tmp_path / "hyphens.csv"
    renamed = [[names.get(line[0], line[0]), *line[1:]] for line in lines]
    place.write_text("\n".join(",".join(line) for line in [*renamed, *more]) + "\n")
    agreement = figures_of(place, "--threshold", "1")["agreement"]["alone"]
    assert len(agreement["pairs"]) == len(agreement["cohen"]) == 6
    assert {(pair["first"], pair["second"]) for pair in agreement["pairs"]} >= {("A", "B-C"), ("A-B", "C")}


def test_names_that_are_different_after_all_can_be_kept(ratings: Path, tmp_path: Path) -> None:
    place = tmp_path / "twins.csv"
    place.write_text(ratings.read_text().replace("\nB,", "\na,"))
    assert "the readers “A” (line 2) and “a” (line 42) are nearly one name" in run(str(place)).output
    assert figures_of(place, "--keep-names")["counts"]["readers"] == ["A", "C", "a"]
