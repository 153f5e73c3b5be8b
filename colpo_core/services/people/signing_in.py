"""Signing in and out.

The cookie holds a random token; the store keeps its SHA-256, so that a copy of the store signs nobody in. An
attempt is counted before the password is looked at: any number of guesses at once get no more than the five.
"""

import hashlib
import math
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from colpo_core.errors import SignInRefused
from colpo_core.records.people import Actor, SignIn
from colpo_core.services.common import audit
from colpo_core.services.common.actors import as_actor
from colpo_core.services.people.passwords import hash_password, needs_new_hash, password_matches
from colpo_core.store import Store
from colpo_core.store.tables import Person, SignInSession
from colpo_core.store.tables.base import utc_now

SESSION_COOKIE = "colpodesk_session"
MAX_FAILURES = 5
BLOCK = timedelta(minutes=5)
_KEEP_OLD_SESSIONS = timedelta(days=30)
_MAX_TOKEN = 200
_WRONG = "The name or the password is wrong."


class _UnknownNames:
    """Counts attempts on names that nobody has, so that a block does not tell which names exist."""

    def __init__(self, capacity: int = 2000) -> None:
        self._seen: OrderedDict[str, tuple[int, datetime | None]] = OrderedDict()
        self._capacity = capacity
        self._lock = threading.Lock()

    def count(self, name: str, now: datetime) -> datetime | None:
        """Count one attempt.

        Returns:
            Until when the name is blocked from now on; None where it is not.

        Raises:
            SignInRefused: The name is blocked.
        """
        with self._lock:
            failures, blocked_until = self._seen.pop(name, (0, None))
            try:
                failures, blocked_until = _counted(failures, blocked_until, now)
            finally:
                self._seen[name] = (failures, blocked_until)
                if len(self._seen) > self._capacity:
                    self._seen.popitem(last=False)
            return blocked_until


_unknown_names = _UnknownNames()


def sign_in(store: Store, *, username: str, password: str) -> SignIn:
    """Check a name and a password and begin a session.

    Raises:
        SignInRefused: They are wrong, the account is not active, or signing in is blocked for a while.
    """
    attempt = _verified(store, username, password)
    fresh_hash = hash_password(password) if needs_new_hash(attempt.password_hash) else attempt.password_hash
    now = utc_now()
    token = secrets.token_urlsafe(32)
    expires_at = now + timedelta(hours=store.settings.session_hours)
    with store.writing() as session:
        person = _accept(session, attempt)
        person.password_hash = fresh_hash
        session.execute(delete(SignInSession).where(SignInSession.expires_at < now - _KEEP_OLD_SESSIONS))
        session.add(
            SignInSession(token_sha256=_sha256(token), person_id=person.id, created_at=now, expires_at=expires_at)
        )
        actor = as_actor(person)
        audit.record(session, actor, "sign in", f"person {person.id}")
    return SignIn(token, actor, expires_at)


def check_password(store: Store, *, username: str, password: str) -> None:
    """Check a name and a password without signing in; wrong ones count towards the block.

    Raises:
        SignInRefused: They are wrong, the account is not active, or signing in is blocked for a while.
    """
    attempt = _verified(store, username, password)
    with store.writing() as session:
        _accept(session, attempt)


def actor_for_token(store: Store, *, token: str) -> Actor | None:
    """Who a cookie's token stands for at this moment; None where it is unknown, over, or its person not active."""
    if not token or len(token) > _MAX_TOKEN:
        return None
    query = (
        select(Person)
        .join(SignInSession, SignInSession.person_id == Person.id)
        .where(
            SignInSession.token_sha256 == _sha256(token),
            SignInSession.revoked_at.is_(None),
            SignInSession.expires_at > utc_now(),
            Person.active,
        )
    )
    with store.reading() as session:
        person = session.scalar(query)
        return None if person is None else as_actor(person)


def sign_out(store: Store, *, token: str) -> None:
    """End a session; a token that is unknown or over already is left alone."""
    with store.writing() as session:
        row = session.get(SignInSession, _sha256(token[:_MAX_TOKEN]))
        if row is None or row.revoked_at is not None:
            return
        row.revoked_at = utc_now()
        person = session.get_one(Person, row.person_id)
        audit.record(session, as_actor(person), "sign out", f"person {person.id}")


def end_sessions(session: Session, person_id: int, *, except_token: str | None = None) -> None:
    """End all sign-ins of a person, in the transaction of what makes it necessary.

    Args:
        session: A writing session.
        person_id: Whose.
        except_token: The one that goes on; none when None.
    """
    statement = update(SignInSession).where(SignInSession.person_id == person_id, SignInSession.revoked_at.is_(None))
    if except_token is not None:
        statement = statement.where(SignInSession.token_sha256 != _sha256(except_token))
    session.execute(statement.values(revoked_at=utc_now()))


@dataclass(frozen=True)
class _Attempt:
    person_id: int
    password_hash: str


def _verified(store: Store, username: str, password: str) -> _Attempt:
    """Count an attempt, then judge it.

    Raises:
        SignInRefused: As `sign_in` says.
    """
    name = username.strip().casefold()[:_MAX_TOKEN]
    person_id, password_hash, is_last = _count_attempt(store, name)
    if password_matches(password_hash, password) and person_id is not None and password_hash is not None:
        return _Attempt(person_id, password_hash)
    if not is_last:
        raise SignInRefused(_WRONG)
    if person_id is not None:
        with store.writing() as session:
            audit.record(session, None, "block sign-in", f"person {person_id}", failures=MAX_FAILURES)
    raise SignInRefused(f"{_WRONG} After {MAX_FAILURES} such attempts this name is blocked for {_minutes(BLOCK)}.")


def _accept(session: Session, attempt: _Attempt) -> Person:
    """Let a verified attempt count, unless the account changed while the password was looked at."""
    person = session.get_one(Person, attempt.person_id)
    if person.password_hash != attempt.password_hash or not person.active:
        raise SignInRefused(_WRONG)
    person.failed_sign_ins, person.blocked_until = 0, None
    return person


def _count_attempt(store: Store, name: str) -> tuple[int | None, str | None, bool]:
    """Count an attempt before it is judged.

    Returns:
        The person's row and password hash where there is such an account, and whether this was the last attempt
        before the block.
    """
    now = utc_now()
    with store.writing() as session:
        person = session.scalar(select(Person).where(Person.username == name))
        if person is None:
            blocked_until = _unknown_names.count(f"{store.settings.data_dir}:{name}", now)
            return None, None, blocked_until is not None
        person.failed_sign_ins, person.blocked_until = _counted(person.failed_sign_ins, person.blocked_until, now)
        return person.id, person.password_hash if person.active else None, person.blocked_until is not None


def _counted(failures: int, blocked_until: datetime | None, now: datetime) -> tuple[int, datetime | None]:
    """One more attempt: the last one allowed begins the block, which a right password lifts again."""
    if blocked_until is not None:
        if now < blocked_until:
            raise SignInRefused(
                f"Too many wrong passwords: this name is blocked for another {_minutes(blocked_until - now)}. "
                "An administrator can lift the block by setting a new password."
            )
        failures = 0
    failures += 1
    return failures, now + BLOCK if failures >= MAX_FAILURES else None


def _minutes(span: timedelta) -> str:
    minutes = max(1, math.ceil(span.total_seconds() / 60))
    return "minute" if minutes == 1 else f"{minutes} minutes"


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
