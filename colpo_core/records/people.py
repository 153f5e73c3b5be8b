"""Records of people."""

from dataclasses import dataclass
from datetime import datetime

from colpo_core.terms import Role


@dataclass(frozen=True)
class Actor:
    """Who asks a service for something."""

    person_id: int
    username: str
    display_name: str
    role: Role


@dataclass(frozen=True)
class SignIn:
    """A fresh sign-in.

    Attributes:
        token: What the cookie holds. The store keeps its hash alone, so it cannot be read again.
        actor: Who signed in.
        expires_at: When the sign-in ends by itself.
    """

    token: str
    actor: Actor
    expires_at: datetime

    def __repr__(self) -> str:
        return f"SignIn(actor={self.actor!r}, expires_at={self.expires_at!r})"


@dataclass(frozen=True)
class PersonRecord:
    """An account as the administrator sees it.

    Attributes:
        person_id: Row of the person.
        username: Name for signing in.
        display_name: Name for the screen.
        role: What the person may do.
        active: Whether the person may sign in.
        created_at: When the account was made.
        is_program: Whether the program itself acts under this name: it has no password.
        blocked_until: Until when signing in is blocked after wrong passwords; None where it is not.
    """

    person_id: int
    username: str
    display_name: str
    role: Role
    active: bool
    created_at: datetime
    is_program: bool = False
    blocked_until: datetime | None = None


@dataclass(frozen=True)
class AuditRecord:
    """One line of the log of who did what."""

    id: int
    at: datetime
    username: str
    action: str
    subject: str
    detail: dict[str, object]


@dataclass(frozen=True)
class AuditPage:
    """Some lines of the log, the newest first.

    Attributes:
        entries: The lines.
        next_before: What to hand to `list_audit` as `before` for the next older lines; None at the end.
    """

    entries: tuple[AuditRecord, ...]
    next_before: int | None
