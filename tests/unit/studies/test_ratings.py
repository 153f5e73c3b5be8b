import numpy as np
import pytest

from colpo_core.errors import InputRejected
from colpo_core.studies.ratings import in_order, read_ratings, tabulate

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
    (one,) = read_ratings(said)
    assert (one.reader, one.treatment, one.case, one.truth, one.rating) == ("1", "t", "a", True, 2.5)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("reader,case,truth,rating\n1,a,1,2\n", "no column treatment"),
        ("", "no column reader"),
        (HEAD, "holds no rating"),
        (HEAD + "1,x,a,yes,2\n", "Line 2: the truth is 0 or 1, not “yes”"),
        (HEAD + "1,x,a,1,2\n1,x,b,1,high\n", "Line 3: the rating is a number, not “high”"),
        (HEAD + "1,x,a,1,nan\n", "is a number"),
        (HEAD + "1,x,a,1\n", "Line 2 has no rating"),
        (HEAD + "1,,a,1,2\n", "Line 2 has no treatment"),
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
