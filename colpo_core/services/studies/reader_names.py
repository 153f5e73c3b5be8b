"""What a study's readers are called in what is shown: by name, or by number where names are to stay in the clinic."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.services.studies.readers import amended
from colpo_core.store.tables import Person, Study, StudyReader

_SHORTEST_PART = 3


@dataclass(frozen=True)
class ReaderNames:
    """The readers of a study, in its order: the sealed ones by their rows, then those who were added.

    Attributes:
        names: By the reader's row, in that order: the name or `Reader 2`.
        by_number: Whether they are numbered.
        hidden: What stands for a reader in somebody's own words, and the number that takes its place.
    """

    names: Mapping[int, str]
    by_number: bool = False
    hidden: Mapping[str, str] = field(default_factory=dict)

    def of(self, person_id: int, name: str) -> str:
        """What a person is called: a reader as above, anybody else by name or, among numbers, not at all."""
        return self.names.get(person_id, "somebody of the staff" if self.by_number else name)

    def scrub(self, text: str) -> str:
        """A free text with numbers in place of the readers' names, where they are numbered."""
        for name, number in self.hidden.items():
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", number, text, flags=re.IGNORECASE)
        return text


def reader_names(session: Session, study: Study, *, by_number: bool = False) -> ReaderNames:
    """What the readers of a study are called.

    Args:
        session: A reading session.
        study: The study.
        by_number: By number in the study's order in place of the name; the same number whenever it is asked for.
    """
    people = {
        person.id: person
        for person in session.scalars(
            select(Person).join(StudyReader, StudyReader.person_id == Person.id).where(StudyReader.study_id == study.id)
        )
    }
    added = amended(session, study.id).added
    # An amendment that adds a reader is written just before its row.
    order = [*sorted(people.keys() - set(added)), *(person_id for person_id in added if person_id in people)]
    if not by_number:
        names = [people[person_id].display_name for person_id in order]
        # Two who are called alike are told apart by the names with which they sign in.
        return ReaderNames(
            {
                person_id: name if names.count(name) == 1 else f"{name} ({people[person_id].username})"
                for person_id, name in zip(order, names, strict=True)
            }
        )
    width = len(str(len(order)))
    numbered = {person_id: f"Reader {number:0{width}}" for number, person_id in enumerate(order, start=1)}
    hidden = {name: numbered[person_id] for person_id in order for name in _called(people[person_id])}
    return ReaderNames(numbered, by_number=True, hidden=dict(sorted(hidden.items(), key=lambda pair: -len(pair[0]))))


def _called(person: Person) -> set[str]:
    """The ways in which somebody may have written of a person, the longest of them to be replaced first."""
    parts = [part for part in re.split(r"[\s,]+", person.display_name) if len(part.strip(".")) >= _SHORTEST_PART]
    return {way for way in (person.display_name, person.username, *parts) if way.strip()}
