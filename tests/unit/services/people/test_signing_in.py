"""Signing in, the block after wrong passwords, and the ends of a session."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from colpo_core.errors import SignInRefused
from colpo_core.records.people import Actor
from colpo_core.services.common.callers import Caller
from colpo_core.services.people import accounts as people
from colpo_core.services.people import passwords, signing_in
from colpo_core.services.people import signing_in as people_signing_in
from colpo_core.store import Store
from colpo_core.store.tables import AuditEntry, Person, SignInSession
from colpo_core.store.tables.base import utc_now
from colpo_core.terms import Role
from tests.support.store_rows import change, change_all, count, get, row, rows

pytestmark = pytest.mark.usefixtures("cheap_hashes")

PASSWORD = "wool lamp harbour"


@pytest.fixture
def nora(administrator: Caller) -> int:
    record = people.create_person(
        administrator, username="nora", display_name="Nora N", role=Role.READER, password=PASSWORD
    )
    return record.person_id


def fail(store: Store, username: str, times: int) -> list[str]:
    sentences = []
    for _ in range(times):
        with pytest.raises(SignInRefused) as refusal:
            people_signing_in.sign_in(store, username=username, password="not the password")
        sentences.append(str(refusal.value))
    return sentences


def test_sign_in_gives_a_token_that_stands_for_the_person(store: Store, nora: int) -> None:
    signed = people_signing_in.sign_in(store, username="  NORA ", password=PASSWORD)
    actor = people_signing_in.actor_for_token(store, token=signed.token)
    assert actor == signed.actor == Actor(nora, "nora", "Nora N", Role.READER)
    assert signed.token not in repr(signed)


def test_the_store_keeps_only_the_hash_of_a_token(store: Store, nora: int) -> None:
    signed = people_signing_in.sign_in(store, username="nora", password=PASSWORD)
    hashes = rows(store, SignInSession.token_sha256)
    password_hash = get(store, Person, nora).password_hash
    assert hashes == [hashlib.sha256(signed.token.encode()).hexdigest()]
    assert password_hash.startswith("$argon2id$")
    for file in Path(store.settings.data_dir).glob("colpodesk.sqlite*"):
        content = file.read_bytes()
        assert signed.token.encode() not in content
        assert PASSWORD.encode() not in content


@pytest.mark.parametrize("username", ["nora", "nobody", "operator", ""])
def test_wrong_name_and_wrong_password_say_the_same(store: Store, nora: int, username: str) -> None:
    sentences = fail(store, username or "   ", 6)
    assert sentences[:4] == ["The name or the password is wrong."] * 4
    assert "blocked for 5 minutes" in sentences[4]
    assert "blocked for another 5 minutes" in sentences[5]


def test_an_unknown_name_costs_a_hash_too(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str | None] = []

    def watch(password_hash: str | None, password: str) -> bool:
        checked.append(password_hash)
        return passwords.password_matches(password_hash, password)

    monkeypatch.setattr(signing_in, "password_matches", watch)
    fail(store, "someone-else", 1)
    assert checked == [None]
    assert passwords.password_matches(None, "anything at all") is False


def test_a_block_holds_against_the_right_password_and_ends(store: Store, nora: int) -> None:
    fail(store, "nora", signing_in.MAX_FAILURES)
    with pytest.raises(SignInRefused, match="blocked"):
        people_signing_in.sign_in(store, username="nora", password=PASSWORD)
    change(store, Person, nora, blocked_until=utc_now() - timedelta(seconds=1))
    assert people_signing_in.sign_in(store, username="nora", password=PASSWORD).actor.person_id == nora
    assert "blocked" not in fail(store, "nora", 4)[-1]


def test_a_right_password_clears_the_count(store: Store, nora: int) -> None:
    fail(store, "nora", 4)
    people_signing_in.sign_in(store, username="nora", password=PASSWORD)
    assert fail(store, "nora", 4) == ["The name or the password is wrong."] * 4


def test_guesses_at_once_get_no_more_than_the_five(store: Store, nora: int, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []

    def watch(password_hash: str | None, password: str) -> bool:
        looked_at.append(password)
        return False

    monkeypatch.setattr(signing_in, "password_matches", watch)

    def guess(number: int) -> None:
        with pytest.raises(SignInRefused):
            people_signing_in.sign_in(store, username="nora", password=f"guess number {number}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(guess, range(24)))
    assert len(looked_at) == signing_in.MAX_FAILURES


def test_a_block_is_logged_without_what_was_typed(store: Store, nora: int) -> None:
    fail(store, "nora", 5)
    entry = row(store, AuditEntry, AuditEntry.action == "block sign-in")
    assert (entry.person_id, entry.subject, entry.detail) == (None, f"person {nora}", {"failures": 5})


def test_names_that_nobody_has_are_forgotten_in_time() -> None:
    names = signing_in._UnknownNames(capacity=3)
    for name in "abcd":
        names.count(name, utc_now())
    assert list(names._seen) == ["b", "c", "d"]


def test_sign_out_ends_this_session_alone(store: Store, nora: int) -> None:
    first, second = (people_signing_in.sign_in(store, username="nora", password=PASSWORD) for _ in range(2))
    people_signing_in.sign_out(store, token=first.token)
    people_signing_in.sign_out(store, token=first.token)
    people_signing_in.sign_out(store, token="never given")
    assert people_signing_in.actor_for_token(store, token=first.token) is None
    assert people_signing_in.actor_for_token(store, token=second.token) is not None


def test_a_session_expires(store: Store, nora: int) -> None:
    signed = people_signing_in.sign_in(store, username="nora", password=PASSWORD)
    span = signed.expires_at - utc_now()
    assert timedelta(hours=11.9) < span <= timedelta(hours=12)
    change_all(store, SignInSession, expires_at=utc_now() - timedelta(seconds=1))
    assert people_signing_in.actor_for_token(store, token=signed.token) is None


def test_sessions_long_over_are_swept(store: Store, nora: int) -> None:
    people_signing_in.sign_in(store, username="nora", password=PASSWORD)
    change_all(store, SignInSession, expires_at=utc_now() - timedelta(days=40))
    people_signing_in.sign_in(store, username="nora", password=PASSWORD)
    assert count(store, SignInSession) == 1


@pytest.mark.parametrize("token", ["", "x", "x" * 5000, "ünknown"])
def test_a_token_that_was_never_given_is_nobody(store: Store, nora: int, token: str) -> None:
    assert people_signing_in.actor_for_token(store, token=token) is None


def test_an_older_hash_is_renewed_at_sign_in(store: Store, nora: int) -> None:
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=128, parallelism=1).hash(PASSWORD)
    change(store, Person, nora, password_hash=weak)
    people_signing_in.sign_in(store, username="nora", password=PASSWORD)
    assert get(store, Person, nora).password_hash != weak
    people_signing_in.sign_in(store, username="nora", password=PASSWORD)


def test_a_letter_composed_differently_is_the_same_password(store: Store, administrator: Caller) -> None:
    people.create_person(
        administrator, username="zoe", display_name="", role=Role.READER, password="Zo\u00eb hat Gl\u00fcck"
    )
    assert (
        people_signing_in.sign_in(store, username="zoe", password="Zoe\u0308 hat Glu\u0308ck").actor.display_name
        == "zoe"
    )
