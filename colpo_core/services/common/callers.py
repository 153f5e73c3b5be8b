"""Who asks a service, and on which store: the first argument of every service that a person reaches."""

from dataclasses import dataclass

from colpo_core.records.people import Actor
from colpo_core.store import Store


@dataclass(frozen=True)
class Caller:
    """One person, or the program itself, at one store.

    Attributes:
        store: The open store.
        actor: Who asks, with the role that decides what they may do.
    """

    store: Store
    actor: Actor

    @property
    def person_id(self) -> int:
        """The row of the person who asks, or of the program itself."""
        return self.actor.person_id
