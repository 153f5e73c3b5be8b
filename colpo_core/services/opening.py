"""Opening the store for a program that runs on it."""

from sqlalchemy import select

from colpo_core.records.people import Actor
from colpo_core.settings import Settings
from colpo_core.store import Store as Store
from colpo_core.store.tables import Person
from colpo_core.terms import Role

OPERATOR = "operator"
SIMULATOR = "simulator"
IMPORTER = "importer"
_PROGRAMS = {
    OPERATOR: ("Operator of this machine", Role.ADMINISTRATOR),
    SIMULATOR: ("Simulator", Role.ANNOTATOR),
    IMPORTER: ("Imported outlines", Role.ANNOTATOR),
}
PROGRAMS = frozenset(_PROGRAMS)


def open_store(settings: Settings | None = None) -> Store:
    """Open the store that the settings name, and make it where there is none.

    Args:
        settings: Read from the environment when None.

    Raises:
        StoreMismatch: The store's schema is older or newer than the program.
    """
    return Store.open(settings or Settings.from_environment())


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
    return Actor(person.id, person.username, person.display_name, person.role)
