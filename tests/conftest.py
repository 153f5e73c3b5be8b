"""Fixtures that every test may use: a fresh store and one actor of each role."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from colpo_core.records.people import Actor
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.tables import Person
from colpo_core.terms import Role


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    opened = Store.open(settings)
    yield opened
    opened.close()


def add_person(store: Store, username: str, role: Role) -> Actor:
    with store.writing() as session:
        person = Person(username=username, display_name=username.title(), role=role, active=True)
        session.add(person)
        session.flush()
        return Actor(person.id, person.username, person.display_name, person.role)


@pytest.fixture
def administrator(store: Store) -> Actor:
    return add_person(store, "ada", Role.ADMINISTRATOR)


@pytest.fixture
def annotator(store: Store) -> Actor:
    return add_person(store, "anna", Role.ANNOTATOR)


@pytest.fixture
def reader(store: Store) -> Actor:
    return add_person(store, "rita", Role.READER)
