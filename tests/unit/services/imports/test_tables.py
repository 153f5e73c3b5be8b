"""A folder of images, with a table of any make that says what they are or without one."""

import io
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from colpo_core.errors import InputRejected
from colpo_core.records.cases.cases import ImportReport
from colpo_core.services.common.callers import Caller
from colpo_core.services.imports.files import import_folder
from colpo_core.store import Store
from colpo_core.store.tables import Case, Image, Patient
from colpo_core.terms import Stage
from tests.support.image_files import photograph, write_files
from tests.support.refusals import refused
from tests.support.store_rows import count, rows


def test_a_folder_is_read_through_with_what_lies_below_it(store: Store, annotator: Caller, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write_files(folder, a_png=photograph(1), deep__b_png=photograph(2), notes=b"text")
    (folder / ".hidden").write_bytes(b"x")
    seen: list[str] = []
    report = import_folder(
        annotator,
        folder=folder,
        patient_code="P-1",
        case_date=DAY,
        stage=Stage.NATIVE,
        on_outcome=lambda outcome: seen.append(outcome.name),
    )
    assert seen == ["a.png", "deep/b.png", "notes"]
    assert (report.imported, report.refused, report.patients) == (2, 1, 1)
    assert set(rows(store, Image.stage)) == {Stage.NATIVE}


def test_a_folder_without_table_and_code_is_refused(annotator: Caller, tmp_path: Path) -> None:
    write_files(tmp_path / "in", a_png=photograph(1))
    refused(InputRejected, lambda: import_folder(annotator, folder=tmp_path / "in"), match=r"import\.csv")
    with pytest.raises(InputRejected, match="no folder"):
        import_folder(annotator, folder=tmp_path / "nowhere", patient_code="P-1")


def test_a_folder_with_nothing_in_it_is_refused(annotator: Caller, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(InputRejected, match="no files"):
        import_folder(annotator, folder=tmp_path / "in", patient_code="P-1")


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_table_spreads_a_folder_over_many_cases(annotator: Caller, tmp_path: Path, delimiter: str) -> None:
    folder = tmp_path / "in"
    write_files(folder, a_png=photograph(1), b_png=photograph(2), c_png=photograph(3), left_png=photograph(4))
    (tmp_path / "outside.png").write_bytes(photograph(5))
    lines = [
        "file,patient_code,case_date,stage,seconds_after_acid",
        "a.png,P-1,2024-05-06,acetic acid,45",
        "b.png,P-1,2024-05-06,Lugol,",
        "c.png,,2024-05-07,native,",
        "gone.png,P-3,2024-05-07,native,",
        "../outside.png,P-3,2024-05-07,native,",
        "a.png,P-3,07.05.2024,native,",
        "a.png,P-3,2024-05-07,iodine,",
        "a.png,Maria Ionescu,2024-05-07,native,",
        ",P-3,2024-05-07,native,",
        "a.png,P-3,2024-05-07,native,soon",
        f"a.png,P-3,2024-05-07,native,{'9' * 5000}",
        f"{'a' * 3000}.png,P-3,2024-05-07,native,",
        f"{'a' * 300}.png,P-3,2024-05-07,native,",
        f"{'ä' * 130}.png,P-3,2024-05-07,native,",
        "a\0.png,P-3,2024-05-07,native,",
    ]
    (folder / "import.csv").write_text("\n".join(lines).replace(",", delimiter), encoding="utf-8-sig")
    report = import_folder(annotator, folder=folder, patient_code="P-9")
    reasons = [outcome.reason for outcome in report.outcomes]
    assert (report.imported, report.duplicates, report.patients) == (3, 0, 2)
    assert reasons[:3] == ["", "", ""]
    for reason, part in zip(
        reasons[3:],
        [
            "does not hold",
            "outside the folder",
            "YYYY-MM-DD",
            "stage",
            "no blanks",
            "names no file",
            "whole number",
            "whole number",
            "that a folder could hold",
            "that a folder could hold",
        ],
        strict=False,
    ):
        assert part in reason
    assert report.outcomes[-1].name == "left.png"
    assert "does not list" in report.outcomes[-1].reason
    assert sorted(rows(annotator, Patient.code)) == ["P-1", "P-9"]
    assert count(annotator, Case) == 2
    assert rows(annotator, Image.seconds_after_acid)[0] == 45


def test_a_table_without_its_columns_is_refused(annotator: Caller, tmp_path: Path) -> None:
    write_files(tmp_path / "in", a_png=photograph(1))
    table = tmp_path / "in" / "import.csv"
    table.write_text("file,code\na.png,P-1\n", encoding="utf-8")
    with pytest.raises(InputRejected, match="case_date, patient_code, stage"):
        import_folder(annotator, folder=tmp_path / "in")
    table.write_bytes(b"\xff\xfe\x00bad")
    refused(InputRejected, lambda: import_folder(annotator, folder=tmp_path / "in"), match="UTF-8")


def imported(caller: Caller, folder: Path, table: str | bytes, name: str = "import.csv") -> ImportReport:
    (folder / name).write_bytes(table.encode() if isinstance(table, str) else table)
    return import_folder(caller, folder=folder, patient_code="DEFAULT-9", case_date=date(2024, 5, 5))


def test_a_control_character_in_a_note_files_no_image_under_another_patient(annotator: Caller, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write_files(folder, **{f"lesion{n}_png": photograph(n) for n in range(5)})
    lines = [
        f"lesion{n}.png,first{mark}second,C8B-{n},2024-02-01,native"
        for n, mark in enumerate(["\x85", "\u2028", "\x0b", "\x0c", "\x1d"])
    ]
    report = imported(annotator, folder, "\n".join(["file,note,patient_code,case_date,stage", *lines]) + "\n")
    assert (report.imported, report.refused) == (5, 0)
    assert sorted(rows(annotator, Patient.code)) == [f"C8B-{n}" for n in range(5)]
    assert set(rows(annotator, Case.case_date)) == {date(2024, 2, 1)}
    assert set(rows(annotator, Image.stage)) == {Stage.NATIVE}


def test_rows_that_cannot_be_told_are_refused_by_line_and_the_rest_is_kept(annotator: Caller, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write_files(folder, a_png=photograph(1), b_png=photograph(2), c_png=photograph(3), d_png=photograph(4))
    lines = [
        "file,patient_code,case_date,stage", "a.png,P-1,2024-05-06,native,more", "b.png,P-2,2024-05-06",
        "c.png,P-3,2024-05-06,native", "d.png,P-4,2024-05-06,native", ",,,", "d.png,P-5,2024-05-06,native",
    ]  # fmt: skip
    report = imported(annotator, folder, "\r\n".join(lines) + "\r\n,,,\r\n")
    reasons = {outcome.reason for outcome in report.outcomes}
    assert (report.imported, report.refused) == (1, 4)
    assert "Line 2 has 5 cells, and the headings are 4. A decimal comma?" in "".join(reasons)
    assert "Line 3 has no stage: it has 3 cells, and the headings are 4." in reasons
    assert "Lines 5, 7 say different things of this file. Keep the right one." in reasons
    assert report.notes == ("Empty rows of import.csv that were passed over: 2.",)


@pytest.mark.parametrize(
    "heading", ["file,stage,patient_code,case_date,stage", "file,patient_code,case_date,Stage,STAGE"]
)
def test_a_doubled_column_is_refused(annotator: Caller, tmp_path: Path, heading: str) -> None:
    write_files(tmp_path / "in", a_png=photograph(1))
    with pytest.raises(InputRejected, match=r"(?i)column “stage” twice"):
        imported(annotator, tmp_path / "in", f"{heading}\na.png,native,P-1,2024-05-06,lugol\n")


def a_workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["File", "환자번호", "Case Date", "Stage", "Seconds after acid"])
    sheet.append(["a.png", 17, date(2024, 5, 6), "acetic acid", 60.0])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


DAY = date(2024, 5, 6)
HEADINGS = "file,patient_code,case_date,stage,seconds_after_acid\n"
TABLES: list[tuple[str, str | bytes]] = [
    ("import.xlsx", a_workbook()),
    ("Import.csv", "File;Patient Code;Case Date;Stage;seconds_after_acid\na.png;17;2024-05-06;acetic acid;60,0\n"),
    ("import.csv", ("sep=,\n" + HEADINGS + "a.png,17,2024. 5. 6.,acetic acid,60\n").replace(",", "\t")),
    ("import.csv", ("파일,환자번호,검사일,단계,seconds_after_acid\n" + "a.png,17,2024/05/06,,60\n").encode("cp949")),
    ("import.csv", (HEADINGS + "a.png,17,2024-05-06,,60\n").encode("utf-16")),
]


@pytest.mark.parametrize(("name", "table"), TABLES)
def test_a_table_may_be_of_any_make(annotator: Caller, tmp_path: Path, name: str, table: str | bytes) -> None:
    write_files(tmp_path / "in", a_png=photograph(1))
    report = imported(annotator, tmp_path / "in", table, name)
    assert (report.imported, report.refused) == (1, 0), report.outcomes
    assert rows(annotator, Patient.code) == ["17"]
    assert rows(annotator, Case.case_date) == [date(2024, 5, 6)]
    assert rows(annotator, Image.seconds_after_acid) == [60]


def test_two_tables_in_a_folder_are_asked_about(annotator: Caller, tmp_path: Path) -> None:
    write_files(tmp_path / "in", a_png=photograph(1))
    (tmp_path / "in" / "import.xlsx").write_bytes(a_workbook())
    with pytest.raises(InputRejected, match=r"import\.csv and import\.xlsx, and which is meant"):
        imported(annotator, tmp_path / "in", "file,patient_code,case_date,stage\n")


def test_a_file_is_found_by_its_name_composed_or_not(annotator: Caller, tmp_path: Path) -> None:
    composed, apart = "andr\u00e9.png", "andre\u0301.png"
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / apart).write_bytes(photograph(1))
    (folder / "IMG_1.JPG").write_bytes(photograph(2))
    lines = f"file,patient_code,case_date,stage\n{composed},P-1,2024-05-06,native\nimg_1.jpg,P-2,2024-05-06,native\n"
    report = imported(annotator, folder, lines)
    assert [outcome.name for outcome in report.outcomes] == [apart, "IMG_1.JPG"]
    assert (report.imported, report.refused) == (2, 0)
    (folder / "img_1.JPG").write_bytes(photograph(3))
    assert "several files of this name" in imported(annotator, folder, lines.replace("P-2", "P-3")).outcomes[1].reason


def test_what_lies_beside_the_images_is_passed_over_in_one(annotator: Caller, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write_files(folder, a_png=photograph(1), b_png=photograph(2), **{f"n{n}": b"text" for n in range(2)})
    for name in ("README.md", "metadata.txt", "scraper.py"):
        (folder / name).write_bytes(b"text")
    report = imported(annotator, folder, "file,patient_code,case_date,stage\na.png,P-1,2024-05-06,native\n")
    assert report.passed_over == ("README.md", "metadata.txt", "scraper.py")
    assert [outcome.name for outcome in report.outcomes] == ["a.png", "b.png", "n0", "n1"]
    assert {outcome.reason for outcome in report.outcomes[1:]} == {"The table does not list this file."}
