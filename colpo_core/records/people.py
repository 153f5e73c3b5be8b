"""Records of people."""

from dataclasses import dataclass
from datetime import datetime

from colpo_core.terms import Role


@dataclass(frozen=True)
class Actor:
    """Who asks a service for something.

    Attributes:
        person_id: Row of the person.
        username: Name for signing in.
        display_name: Name for the screen.
        role: What the person may do.
    """

    person_id: int
    username: str
    display_name: str
    role: Role


@dataclass(frozen=True)
class PersonRecord:
    """An account as the administrator sees it."""

    person_id: int
    username: str
    display_name: str
    role: Role
    active: bool
    created_at: datetime


@dataclass(frozen=True)
class AuditRecord:
    """One line of the log of who did what."""

    id: int
    at: datetime
    username: str
    action: str
    subject: str
    detail: dict[str, object]
