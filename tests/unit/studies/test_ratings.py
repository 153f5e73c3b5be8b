import io
import unicodedata

import numpy as np
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colpo_core.errors import InputRejected
from colpo_core.studies.export import ratings_csv
from colpo_core.studies.ratings import Rating, in_order, read_ratings, tabulate

HEAD = "reader,treatment,case,truth,rating\n"
FOUR = [("a", "1"), ("b", "1"), ("c", "0"), ("d", "0")]


def text(*, readers: str = "12", arms: tuple[str, ...] = ("x", "y")) -> str:
    return HEAD + "".join(
        f"{reader},{arm},{case},{truth},{place + int(reader)}\n"
        for reader in readers
        for arm in arms
        for place, (case, truth) in enumerate(FOUR)
    )


def test_ratings_are_laid_out_by_arm_reader_and_case() -> None:
    table = tabulate(read_ratings(text()))
    assert (table.arms, table.readers, table.cases) == (("x", "y"), ("1", "2"), ("a", "b", "c", "d"))
    assert table.truth.tolist() == [True, True, False, False]
    assert table.rating[1].tolist() == [[1, 2, 3, 4], [2, 3, 4, 5]]
    assert table.is_complete


def test_more_columns_a_mark_at_the_beginning_and_spaces_are_passed_over() -> None:
    said = '\ufeffCase, Reader ,note,treatment,rating,truth\r\na, 1 ,"x, y",t,2.5,1\r\n'
    (one,) = found = read_ratings(said)
    assert found.other_columns == ("note",)
    assert (one.reader, one.treatment, one.case, one.truth, one.rating) == ("1", "t", "a", True, 2.5)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("reader,case,truth,rating\n1,a,1,2\n", "no column treatment"),
        ("", "no column reader"),
        (HEAD, "holds no rating"),
        (HEAD + "1,x,a,maybe,2\n", "Line 2: the truth is 0 or 1, not “maybe”"),
        (HEAD + "1,x,a,1,2\n1,x,b,1,high\n", "Line 3: the rating is a number, not “high”"),
        (HEAD + "1,x,a,1,nan\n", "is a number"),
        (HEAD + "1,x,a,1\n", "Line 2 has no rating"),
        (HEAD + "1,,a,1,2\n", "Line 2 has no treatment"),
        (HEAD + "1,x,a,1,0,85\n", "Line 2 has 6 cells.*decimal comma"),
        (HEAD + "1,x,a,1,1_000\n", "Line 2: the rating “1_000” holds marks between its digits"),
        (HEAD + '1,x,a,1,"1,234"\n', "Line 2: the rating “1,234” can be thousands or a decimal"),
        (HEAD.strip() + ",rating\n1,x,a,1,2,3\n", "column “rating” twice, as columns 5 and 6"),
        (HEAD + "1,x,a,1,\n", "Line 2 has no rating. Leave the row out"),
        (HEAD + "1,x,c001,1,2\n1,x,C001,1,3\n", "the cases “C001” .line 3. and “c001” .line 2. are nearly one name"),
        (HEAD + "Dr  Kim,x,a,1,2\nDr Kim,x,b,1,3\n", "the readers .* are nearly one name.*--keep-names"),
        (HEAD + "Ki\u200bm,x,a,1,2\n", "Line 2: the reader holds a character that nobody sees .U\\+200B."),
    ],
)
def test_what_is_no_rating_is_refused_with_its_line(said: str, words: str) -> None:
    with pytest.raises(InputRejected, match=words):
        read_ratings(said)


def test_doubled_rows_contradicting_truths_and_lonely_classes_are_refused() -> None:
    with pytest.raises(InputRejected, match=r"twice: reader 1, treatment x, case a\. Keep one"):
        tabulate(read_ratings(text() + "1,x,a,1,9\n"))
    with pytest.raises(InputRejected, match="truth of case a differs"):
        tabulate(read_ratings(text() + "3,x,a,0,9\n"))
    with pytest.raises(InputRejected, match="1 cases with the condition and 2 without"):
        tabulate(read_ratings(HEAD + "1,x,a,1,2\n1,x,b,0,2\n1,x,c,0,2\n"))


def test_arms_can_be_chosen_and_turned_round() -> None:
    lines = text(readers="12", arms=("x",)) + text(readers="3", arms=("y",)).removeprefix(HEAD)
    table = tabulate(read_ratings(lines))
    assert not table.is_complete
    assert table.rating.shape == (2, 3, 4)
    alone = table.of_arms(["y"])
    assert (alone.readers, alone.is_complete) == (("3",), True)
    assert table.of_arms(["y", "x"]).arms == ("y", "x")
    assert np.array_equal(table.of_arms(["y", "x"]).rating[1], table.rating[0], equal_nan=True)
    with pytest.raises(InputRejected, match=r"no treatment “z”\. There are x, y"):
        table.of_arms(["z"])


def test_numbers_are_in_their_order_and_words_in_that_of_the_alphabet() -> None:
    assert in_order({"10", "9", "1"}) == ("1", "9", "10")
    assert in_order({"b", "a", "10"}) == ("10", "a", "b")


def semicolons(said: str) -> str:
    return said.replace(",", ";").replace(".", ",")


@pytest.mark.parametrize(
    "said",
    [
        HEAD + "1,x,a,1,2.5\n1,x,b,0,0.5\n",
        HEAD + "1,x,a,TRUE,2.5\n1,x,b,FALSE,0.5\n,,,,\n",
        HEAD + '1,x,a,yes,"2,5"\n1,x,b,no,"0,5"\n',
        HEAD + "1,x,a,hsil,250%\n1,x,b,normal,50%\n",
        HEAD + "1,x,a,1.0,2.5\n1,x,b,0.0,.5\n",
        semicolons(HEAD + "1,x,a,1,2.5\n1,x,b,0,0.5\n"),
        "sep=;\n" + semicolons(HEAD + "1,x,a,1,2.5\n1,x,b,0,0.5\n"),
        (HEAD + "1,x,a,1,2.5\n1,x,b,0,0.5\n").replace(",", "\t"),
        "READER,Arm,Case ID,Truth,Rating\n1,x,a,1,2.5\n1,x,b,0,0.5\n",
    ],
)
def test_what_a_spreadsheet_writes_is_read(said: str) -> None:
    one, other = read_ratings(said)
    assert (one.reader, one.treatment, one.case, one.truth, one.rating) == ("1", "x", "a", True, 2.5)
    assert (other.case, other.truth, other.rating) == ("b", False, 0.5)


def test_a_workbook_is_read_as_its_csv() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for line in (["Reader", "Treatment", "Case", "Truth", "Rating"], ["Kim", "x", 1, True, 2.5], ["Kim", "x", 2, 0, 1]):
        sheet.append(line)
    buffer = io.BytesIO()
    book.save(buffer)
    assert list(read_ratings(buffer.getvalue())) == [
        Rating("Kim", "x", "1", True, 2.5), Rating("Kim", "x", "2", False, 1.0)
    ]  # fmt: skip


def test_names_are_compared_composed_and_twins_may_be_kept() -> None:
    composed, apart = "Andr\u00e9", "Andre\u0301"
    found = read_ratings(HEAD + f"{composed},x,a,1,2\n{apart},x,b,0,1\n")
    assert {one.reader for one in found} == {composed}
    kept = read_ratings(HEAD + "1,x,c001,1,2\n1,x,C001,0,3\n", keep_names=True)
    assert [one.case for one in kept] == ["c001", "C001"]


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(InputRejected) as refused:
        read_ratings(HEAD + "1,x,a,maybe,2\n1,x,b,1,high\n1,x,c,1,2,3\n,x,d,1,2\n", name="r.csv")
    said = str(refused.value).splitlines()
    assert said[0] == "r.csv cannot be used: 4 things are wrong:"
    assert [line[:6] for line in said[1:]] == ["Line 2", "Line 3", "Line 4", "Line 5"]


def test_what_is_passed_over_or_changed_is_noted() -> None:
    assert read_ratings(HEAD + "1,x,a,1,96%\n,,,,\n").notes == (
        "Numbers with a percent sign were read as shares: 96% is 0.96.", "Empty rows that were passed over: 1.",
    )  # fmt: skip


def test_a_table_that_no_study_has_is_refused_before_it_is_made() -> None:
    lines = "".join(f"r{n},x,c{n},{n % 2},1\n" for n in range(7000))
    with pytest.raises(InputRejected, match="Does the column of readers hold readers"):
        tabulate(read_ratings(HEAD + lines))


def test_patients_of_cases_are_laid_out_and_must_not_differ() -> None:
    said = "reader,treatment,case,truth,rating,Patient ID\n1,x,b,1,1,P2\n1,x,a,0,2,P1\n1,x,c,1,1,P1\n1,x,d,0,1,P3\n"
    assert tabulate(read_ratings(said, patient_column="patient id")).patients == ("P1", "P2", "P1", "P3")
    with pytest.raises(InputRejected, match="patient of case a differs"):
        tabulate(read_ratings(said + "2,x,a,0,2,P2\n", patient_column="patient id"))


NAMES = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp", "Zs", "Cn", "Co")), min_size=1, max_size=5
)


@given(
    st.lists(
        st.tuples(NAMES, NAMES, NAMES, st.booleans(), st.floats(allow_nan=False, allow_infinity=False)), min_size=1
    )
)
@settings(max_examples=100, deadline=None)
def test_ratings_that_are_written_are_read_as_they_are(rows: list[tuple[str, str, str, bool, float]]) -> None:
    written = [
        Rating(*(unicodedata.normalize("NFC", name) for name in names), truth, rating)
        for *names, truth, rating in rows
        if not any(name.startswith("'") for name in names)
    ]
    if written:
        assert list(read_ratings(ratings_csv(written), keep_names=True)) == written
