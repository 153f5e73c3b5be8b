"""Who acts: a person's row as an actor, and the program's own accounts."""

from sqlalchemy import select

from colpo_core.records.people import Actor
from colpo_core.store import Store
from colpo_core.store.tables import Person
from colpo_core.terms import Role


def as_actor(person: Person) -> Actor:
    """The record that leaves the services."""
    return Actor(person.id, person.username, person.display_name, person.role)


OPERATOR = "operator"
SIMULATOR = "simulator"
IMPORTER = "importer"
_PROGRAMS = {
    OPERATOR: ("Operator of this machine", Role.ADMINISTRATOR),
    SIMULATOR: ("Simulator", Role.ANNOTATOR),
    IMPORTER: ("Imported outlines", Role.ANNOTATOR),
}
PROGRAMS = frozenset(_PROGRAMS)


def program_actor(store: Store, username: str) -> Actor:
    """An actor that is the program itself: it has no password, so nobody signs in as it.

    `operator` is whoever may run commands on this machine, and so may read the store's files anyway.

    Args:
        store: The open store.
        username: `operator`, `simulator` or `importer`.
    """
    display_name, role = _PROGRAMS[username]
    with store.reading() as session:
        person = session.scalar(select(Person).where(Person.username == username))
    if person is None:
        with store.writing() as session:
            person = session.scalar(select(Person).where(Person.username == username))
            if person is None:
                person = Person(username=username, display_name=display_name, role=role, active=True)
                session.add(person)
                session.flush()
    return as_actor(person)
