"""Accounts: who may make them, what ends with them, and the log."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from colpo_core.errors import ColpoError, Conflict, InputRejected, NotFound, PermissionDenied, SignInRefused
from colpo_core.records.people import Actor, PersonRecord
from colpo_core.services.common.actors import program_actor
from colpo_core.services.common.callers import Caller
from colpo_core.services.people import accounts as people
from colpo_core.services.people import signing_in
from colpo_core.services.studies import designing
from colpo_core.store import Store
from colpo_core.store.tables import Person
from colpo_core.terms import Label, Role
from tests.conftest import AddCase
from tests.support.conducted import make_study
from tests.support.refusals import refused
from tests.support.store_rows import count

pytestmark = pytest.mark.usefixtures("cheap_hashes")

PASSWORD = "wool lamp harbour"


def make(caller: Caller, username: str, role: Role = Role.ANNOTATOR) -> PersonRecord:
    return people.create_person(caller, username=username, display_name=f"Dr {username}", role=role, password=PASSWORD)


def test_the_first_administrator_is_made_once(store: Store) -> None:
    assert people.needs_first_administrator(store)
    program_actor(store, "operator")
    assert people.needs_first_administrator(store)
    first = people.create_first_administrator(store, username="Chief", display_name=" The  Chief ", password=PASSWORD)
    assert (first.username, first.display_name, first.role) == ("chief", "The Chief", Role.ADMINISTRATOR)
    assert not people.needs_first_administrator(store)
    with pytest.raises(Conflict):
        people.create_first_administrator(store, username="second", display_name="", password=PASSWORD)
    assert signing_in.sign_in(store, username="chief", password=PASSWORD).actor.role is Role.ADMINISTRATOR


def test_of_two_first_administrators_at_once_one_wins(store: Store) -> None:
    def attempt(number: int) -> str:
        try:
            return people.create_first_administrator(
                store, username=f"chief{number}", display_name="", password=PASSWORD
            ).username
        except Conflict:
            return "refused"

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(attempt, range(4)))
    assert outcomes.count("refused") == 3
    assert count(store, Person) == 1


@pytest.mark.parametrize(
    "password",
    ["short", "x" * 201, "aaaaaaaaaaaaaaa", "Chief.of.clinic"],
    ids=["short", "long", "one letter", "the username"],
)
def test_a_bad_password_is_refused_and_changes_nothing(store: Store, password: str) -> None:
    with pytest.raises(InputRejected):
        people.create_first_administrator(store, username="chief.of.clinic", display_name="", password=password)
    assert people.needs_first_administrator(store)


@pytest.mark.parametrize("username", ["", "a", "two words", "ümlaut", "-dash", "a" * 81, "x\ny", "<b>"])
def test_a_bad_username_is_refused(administrator: Caller, username: str) -> None:
    refused(InputRejected, lambda: make(administrator, username), match="username")


def test_a_taken_username_is_a_conflict(administrator: Caller) -> None:
    make(administrator, "nora")
    refused(Conflict, lambda: make(administrator, "NORA"), match="taken")


def test_only_an_administrator_manages_people(annotator: Caller, reader: Caller) -> None:
    for caller in (annotator, reader):
        with pytest.raises(PermissionDenied):
            make(caller, "nora")
        with pytest.raises(PermissionDenied):
            people.list_people(caller)
        with pytest.raises(PermissionDenied):
            people.set_password(caller, person_id=caller.person_id, password=PASSWORD)
        with pytest.raises(PermissionDenied):
            people.set_active(caller, person_id=caller.person_id, active=True)
        with pytest.raises(PermissionDenied):
            people.list_audit(caller)


def test_deactivating_ends_every_sign_in_at_once(store: Store, administrator: Caller) -> None:
    nora = make(administrator, "nora")
    tokens = [signing_in.sign_in(store, username="nora", password=PASSWORD).token for _ in range(2)]
    assert people.set_active(administrator, person_id=nora.person_id, active=False).active is False
    assert [signing_in.actor_for_token(store, token=token) for token in tokens] == [None, None]
    refused(SignInRefused, lambda: signing_in.sign_in(store, username="nora", password=PASSWORD), match="wrong")
    people.set_active(administrator, person_id=nora.person_id, active=True)
    assert signing_in.actor_for_token(store, token=tokens[0]) is None
    signing_in.sign_in(store, username="nora", password=PASSWORD)


def test_the_last_administrator_and_oneself_stay(store: Store) -> None:
    chief = people.create_first_administrator(store, username="chief", display_name="", password=PASSWORD)
    caller = Caller(store, signing_in.sign_in(store, username="chief", password=PASSWORD).actor)
    operator = Caller(store, program_actor(store, "operator"))
    for who, sentence in ((caller, "yourself"), (operator, "last administrator")):
        with pytest.raises(InputRejected, match=sentence):
            people.set_active(who, person_id=chief.person_id, active=False)
    make(caller, "deputy", Role.ADMINISTRATOR)
    assert not people.set_active(operator, person_id=chief.person_id, active=False).active


def test_program_accounts_get_no_password(store: Store, administrator: Caller) -> None:
    simulator = Caller(store, program_actor(store, "simulator"))
    refused(
        InputRejected,
        lambda: people.set_password(administrator, person_id=simulator.person_id, password=PASSWORD),
        lambda: people.set_active(administrator, person_id=simulator.person_id, active=False),
        match="program",
    )
    refused(NotFound, lambda: people.set_active(administrator, person_id=999, active=False))


def test_a_new_password_signs_out_and_lifts_a_block(store: Store, administrator: Caller) -> None:
    nora = make(administrator, "nora")
    token = signing_in.sign_in(store, username="nora", password=PASSWORD).token
    for _ in range(5):
        refused(SignInRefused, lambda: signing_in.sign_in(store, username="nora", password="wrong one here"))
    listed = next(person for person in people.list_people(administrator) if person.username == "nora")
    assert listed.blocked_until is not None
    people.set_password(administrator, person_id=nora.person_id, password="another long password")
    assert signing_in.actor_for_token(store, token=token) is None
    signing_in.sign_in(store, username="nora", password="another long password")


def test_changing_ones_own_password_keeps_this_sign_in_alone(store: Store, administrator: Caller) -> None:
    make(administrator, "nora", Role.READER)
    here, elsewhere = (signing_in.sign_in(store, username="nora", password=PASSWORD) for _ in range(2))
    bad: list[tuple[str, str]] = [
        ("wrong present one", "a fine new password"),
        (PASSWORD, "short"),
        (PASSWORD, PASSWORD),
    ]
    for current, new in bad:
        with pytest.raises(InputRejected):
            people.change_password(Caller(store, here.actor), current=current, password=new, keep_token=here.token)
    people.change_password(
        Caller(store, here.actor), current=PASSWORD, password="a fine new password", keep_token=here.token
    )
    assert signing_in.actor_for_token(store, token=here.token) is not None
    assert signing_in.actor_for_token(store, token=elsewhere.token) is None
    signing_in.sign_in(store, username="nora", password="a fine new password")


def test_people_are_listed_by_name_with_the_programs_own_last(store: Store) -> None:
    people.create_first_administrator(store, username="zara", display_name="", password=PASSWORD)
    operator = Caller(store, program_actor(store, "operator"))
    make(operator, "anna", Role.READER)
    listed = people.list_people(operator)
    assert [(person.username, person.is_program) for person in listed] == [
        ("anna", False), ("zara", False), ("operator", True),
    ]  # fmt: skip
    assert [person.username for person in people.list_people(operator, role=Role.READER)] == ["anna"]


def test_the_log_is_read_in_pages_without_gap_or_repeat(administrator: Caller) -> None:
    for number in range(7):
        make(administrator, f"person{number}")
    seen: list[int] = []
    before: int | None = None
    while True:
        page = people.list_audit(administrator, before=before, limit=3)
        seen += [entry.id for entry in page.entries]
        before = page.next_before
        if before is None:
            break
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == len(set(seen)) == 7


def test_the_log_says_who_did_what_to_whom(store: Store, administrator: Caller) -> None:
    nora = make(administrator, "nora", Role.READER)
    signing_in.sign_in(store, username="nora", password=PASSWORD)
    newest, oldest = people.list_audit(administrator).entries
    assert (oldest.username, oldest.action, oldest.subject, oldest.detail) == (
        "ada", "create person", f"person {nora.person_id}", {"role": "reader"},
    )  # fmt: skip
    assert (newest.username, newest.action) == ("nora", "sign in")
    of_nora = people.list_audit(administrator, person_id=nora.person_id).entries
    assert [entry.action for entry in of_nora] == ["sign in"]
    assert len(people.list_audit(administrator, subject=f"person {nora.person_id}").entries) == 2
    assert PASSWORD not in repr(people.list_audit(administrator))


def test_a_page_of_the_log_has_a_limit(administrator: Caller) -> None:
    for limit in (0, 501):
        with pytest.raises(ValueError, match="limit"):
            people.list_audit(administrator, limit=limit)


def test_refusals_are_sentences(administrator: Caller) -> None:
    with pytest.raises(ColpoError) as refusal:
        make(administrator, "!")
    assert str(refusal.value).endswith(".")


def test_an_annotator_becomes_a_reader_and_a_reader_of_an_open_study_stays_one(
    store: Store, administrator: Caller, add_case: AddCase
) -> None:
    add_case(Label.NORMAL)
    add_case(Label.HSIL)
    made = people.create_person(
        administrator, username="carla", display_name="Carla", role=Role.ANNOTATOR, password=PASSWORD
    )
    token = signing_in.sign_in(store, username="carla", password=PASSWORD).token
    assert people.set_role(administrator, person_id=made.person_id, role=Role.READER).role is Role.READER
    assert signing_in.actor_for_token(store, token=token) is None
    study_id = make_study(administrator, [as_reader(store, made.person_id)])
    with pytest.raises(Conflict, match="reads in an open study"):
        people.set_role(administrator, person_id=made.person_id, role=Role.ANNOTATOR)
    designing.close_study(administrator, study_id=study_id, reason="enough")
    people.set_role(administrator, person_id=made.person_id, role=Role.ANNOTATOR)
    chief = make(administrator, "chief", Role.ADMINISTRATOR)
    herself = Caller(store, Actor(chief.person_id, "chief", "", Role.ADMINISTRATOR))
    with pytest.raises(InputRejected, match="your own role"):
        people.set_role(herself, person_id=chief.person_id, role=Role.READER)
    with pytest.raises(PermissionDenied):
        people.set_role(as_reader(store, made.person_id), person_id=made.person_id, role=Role.ADMINISTRATOR)


def as_reader(store: Store, person_id: int) -> Caller:
    return Caller(store, Actor(person_id, "carla", "Carla", Role.READER))
