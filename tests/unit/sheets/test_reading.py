"""Tables as people's programs write them, and the traps in them."""

import csv
import io
from datetime import date, datetime

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colpo_core.errors import InputRejected
from colpo_core.sheets.reading import Column, Problems, Row, Table, read_table

WANTED = (Column("file"), Column("patient_code", ("환자번호",)), Column("note", is_needed=False))
# Whatever a person may have typed: all but surrogates, NUL and the marks that are stripped from a cell's ends.
WORDS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\r\n\ufeff"), max_size=12)
ROWS = st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=1, max_size=6)


def rows(content: str | bytes, wanted: tuple[Column, ...] = WANTED) -> list[Row]:
    return list(table(content, wanted).rows())


def table(content: str | bytes, wanted: tuple[Column, ...] = WANTED) -> Table:
    return read_table(content.encode() if isinstance(content, str) else content, "t.csv", wanted)


def workbook(*sheets: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for number, lines in enumerate(sheets):
        sheet = book.create_sheet(f"S{number}")
        for line in lines:
            sheet.append(line)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@given(
    ROWS,
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-32"]),
    st.booleans(),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
@settings(max_examples=150, deadline=None)
def test_what_a_csv_writer_writes_is_read_back(
    lines: list[tuple[str, str, str]], delimiter: str, encoding: str, says_separator: bool, ending: str
) -> None:
    buffer = io.StringIO(newline="")
    if says_separator:
        buffer.write(f"sep={delimiter}{ending}")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=ending)
    writer.writerow(["note", "File", "Patient Code"])
    writer.writerows(lines)
    text = buffer.getvalue()
    content = b"\xff\xfe" + text.encode("utf-16-le") if encoding == "utf-16-le-bom" else text.encode(encoding)
    found = [row.cells for row in rows(content)]
    expected = [(file.strip(), code.strip(), note.strip()) for note, file, code in lines]
    assert found == [cells for cells in expected if any(cells)]


@given(WORDS.filter(lambda word: word.strip() != ""))
@settings(max_examples=100, deadline=None)
def test_no_character_of_a_cell_splits_its_row(note: str) -> None:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([["file", "note", "patient_code"], ["a.png", f"x{note}y", "P-1"]])
    assert rows(buffer.getvalue()) == [Row(2, ("a.png", "P-1", f"x{note}y"))]


@pytest.mark.parametrize("mark", ["\x85", "\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e"])
def test_a_control_character_in_a_note_moves_nothing(mark: str) -> None:
    (row,) = rows(f"file,note,patient_code\nlesion.png,first{mark}second,P-1\n")
    assert row == Row(2, ("lesion.png", "P-1", f"first{mark}second"))


@pytest.mark.parametrize(
    "said",
    ["file,Patient Code\n", "FILE,PATIENT-CODE\n", "File ,patientcode\n", "file,환자번호\n", "file;patient_code\n",
     "file\tpatient_code\n", "sep=;\nfile;patient_code\n", "\n;;\nfile;patient_code\n"],
)  # fmt: skip
def test_headings_are_known_by_their_letters(said: str) -> None:
    mark = next(one for one in ";\t," if one in said.splitlines()[-1])
    (row,) = rows(said + mark.join(["a.png", "P-1"]))
    assert row.cells == ("a.png", "P-1", "")


def test_korean_and_western_text_is_read_where_nothing_else_can_be_meant() -> None:
    korean = table("file,환자번호,note\n사진.png,P-1,검사 좋음\n".encode("cp949"))
    assert [row.cells for row in korean.rows()] == [("사진.png", "P-1", "검사 좋음")]
    assert korean.notes == ("t.csv was read as Korean text (code page 949).",)
    western = table("file;patient_code;note\nété.png;P-1;Müller\n".encode("cp1252"))
    assert [row.cells for row in western.rows()] == [("été.png", "P-1", "Müller")]
    assert "Windows-1252" in western.notes[0]
    assert rows("file,patient_code\nM.png,P-1\n".encode("utf-16-le"))[0].cells[0] == "M.png"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("file,patient_code\nДмитрий,P-1\n".encode("cp1251"), "cannot be told for sure"),
        ("file,patient_code\nDvořák,P-1\n".encode("cp1250"), "cannot be told for sure"),
        ("file,patient_code\n写真,P-1\n".encode("shift_jis"), "cannot be told for sure"),
        (b"file,patient_code\na\xff\xfe\xfd,P-1\n", "cannot be told for sure"),
        (b"\xef\xbb\xbffile,patient_code\n\xff,P-1\n", "damaged"),
        (b"\xff\xfef", "damaged"),
        (b"\0\1\0\0\0binary", "is no text"),
        (b"\xd0\xcf\x11\xe0old excel", "older Excel"),
        (b"PK\x03\x04no zip", "damaged or no Excel workbook"),
        (b"file,name\na,b\n", "no column patient_code"),
        (b"", "no column file, patient_code"),
        (b"file,patient_code,file\na,b,c\n", "column “file” twice, as columns 1 and 3"),
        (b"file,patient_code,Patient Code\na,b,c\n", "twice, as columns 2 and 3"),
    ],
)
def test_what_is_no_table_or_can_be_two_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(InputRejected, match=words):
        table(content)


def test_a_column_that_other_headings_mean_is_told_from_its_own() -> None:
    wanted = (Column("treatment", ("arm", "modality")),)
    assert rows("arm,treatment\n1,2\n", wanted)[0].cells == ("2",), "its own name goes first"
    with pytest.raises(InputRejected, match="“arm” and “modality”, and either could be"):
        table("arm,modality\n1,2\n", wanted)


def test_rows_of_another_length_than_the_headings_say_their_line() -> None:
    found = rows("file,patient_code,note\na,P-1,0,85\nb,P-2,x\nc,P-3\nd\n,,,,\n\ne,P-5,\n")
    assert [row.line for row in found] == [2, 3, 4, 5, 8]
    assert found[0].problem.startswith("Line 2 has 4 cells, and the headings are 3. A decimal comma?")
    assert found[2].problem == "Line 4 has no note: it has 2 cells, and the headings are 3."
    assert found[3].problem == "Line 5 has no patient_code, note: it has 1 cells, and the headings are 3."
    assert [row.problem for row in (found[1], found[4])] == ["", ""]


def test_a_cell_under_no_heading_is_refused_and_empty_ones_are_nothing() -> None:
    found = rows("file,patient_code,,\na,P-1,,\nb,P-2,x,\n")
    assert [row.problem for row in found] == [
        "", "Line 3 has a cell under no heading. Give the column a heading, or empty it.",
    ]  # fmt: skip


def test_empty_rows_are_counted() -> None:
    found = table("file,patient_code\na,P-1\n,\n , \n,,,,\n\n")
    assert (len(list(found.rows())), found.n_empty) == (1, 4)


def test_a_quotation_mark_that_swallows_rows_is_found() -> None:
    with pytest.raises(InputRejected, match="Lines 2 to 4 are one row"):
        rows('file,patient_code,note\na,P-1,"five\nb,P-2,x\nc,P-3,inches"\n')
    with pytest.raises(InputRejected, match="Line 2: the row that begins here cannot be told apart"):
        rows('file,patient_code,note\na,P-1,"five\nb,P-2,x\n')
    spread = rows('file,patient_code,note\na,P-1,"two\nlines"\nb,P-2,\n')
    assert [(row.line, row.cells[2]) for row in spread] == [(2, "two\nlines"), (4, "")]


def test_a_workbook_is_read_with_its_days_numbers_and_truth() -> None:
    lines = [["File", "Patient Code", "note"], ["a.png", 12, True], ["b.png", 1.5, date(2024, 5, 6)], [],
             ["c.png", 3.0, datetime.fromisoformat("2024-05-06T07:08:09")], [" d.png ", "P-1", None]]  # fmt: skip
    found = table(workbook(lines))  # type: ignore[arg-type]
    assert [tuple(row) for row in found.rows()] == [
        (2, ("a.png", "12", "TRUE"), ""), (3, ("b.png", "1.5", "2024-05-06"), ""),
        (5, ("c.png", "3", "2024-05-06T07:08:09"), ""), (6, ("d.png", "P-1", ""), ""),
    ]  # fmt: skip
    assert found.notes == ()


def test_the_sheet_with_the_columns_is_read_and_two_of_them_are_asked_about() -> None:
    columns: list[object] = ["file", "patient_code"]
    found = table(workbook([["read me"]], [columns, ["a", "P-1"]], []))
    assert [row.cells for row in found.rows()] == [("a", "P-1", "")]
    assert found.notes == ("The sheet “S1” of t.csv was read, and not “S0”.",)
    with pytest.raises(InputRejected, match="several sheets, “S0” and “S1”"):
        table(workbook([columns, ["a", "P-1"]], [columns, ["b", "P-2"]]))
    with pytest.raises(InputRejected, match="all of its sheets are empty"):
        table(workbook([]))
    with pytest.raises(InputRejected, match=r"that of its sheet “S0” is “file”, “code”\."):
        table(workbook([["file", "code"]]))
    over = list(table(workbook([columns, ["a", "P-1", "more"]])).rows())
    assert over[0].problem == "Line 2 has 3 cells, and the headings are 2."


def test_problems_are_told_together_up_to_a_number() -> None:
    problems = Problems()
    problems.refuse("t.csv")
    problems.add(7, "Line 7 is wrong.")
    with pytest.raises(InputRejected, match=r"\ALine 7 is wrong\.\Z"):
        problems.refuse("t.csv")
    for line in range(3000, 0, -1):
        problems.add(line, f"Line {line} is wrong.")
    with pytest.raises(InputRejected) as refused:
        problems.refuse("t.csv")
    said = str(refused.value).splitlines()
    assert said[0] == "t.csv cannot be used: 3001 things are wrong, of which the first 10 are:"
    assert said[1:4] == ["Line 1 is wrong.", "Line 2 is wrong.", "Line 3 is wrong."]
    assert len(said) == 11
