"""What is accepted as a password, and how one is kept."""

import pytest

from colpo_core.errors import InputRejected
from colpo_core.services.people.passwords import check_new_password, hash_password, needs_new_hash, password_matches
from tests.support.refusals import refused


def test_a_hash_is_salted_and_matches_its_password_alone() -> None:
    one, two = hash_password("wool lamp harbour"), hash_password("wool lamp harbour")
    assert one != two
    assert one.startswith("$argon2id$")
    assert password_matches(one, "wool lamp harbour")
    assert not password_matches(one, "wool lamp harbours")
    assert not needs_new_hash(one)


@pytest.mark.parametrize("stored", [None, "", "not a hash", "$argon2id$v=19$broken"])
def test_an_account_without_a_good_hash_lets_nobody_in(stored: str | None) -> None:
    assert not password_matches(stored, "anything")


@pytest.mark.parametrize("password", ["ten chars!", "x1y" * 60, "汉字汉字汉字二三四五"])
def test_a_fair_password_is_taken(password: str) -> None:
    check_new_password(password, username="ada")


@pytest.mark.parametrize(
    ("password", "sentence"),
    [("nine char", "at least 10"), ("ab1" * 70, "at most 200"), ("abababababab", "easy"), ("ADA.BYRON.1", "easy")],
)
def test_a_poor_password_is_refused(password: str, sentence: str) -> None:
    refused(InputRejected, lambda: check_new_password(password, username="ada.byron.1"), match=sentence)
