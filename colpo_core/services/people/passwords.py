"""Passwords: what is accepted, and how one is kept.

Argon2id with the library's defaults (64 MiB, three passes). A name that nobody has is checked against a hash of
nothing, so that the time of an answer does not tell which names exist.
"""

import secrets
import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from colpo_core.errors import InputRejected

MIN_LENGTH = 10
MAX_LENGTH = 200
_AT_ONCE = 4

_hasher = PasswordHasher()
_turn = threading.BoundedSemaphore(_AT_ONCE)  # each check takes 64 MiB: a flood of sign-ins must not take the machine
_nobody: list[str] = []


def check_new_password(password: str, *, username: str) -> None:
    """Refuse a password that is too easy to guess.

    Raises:
        InputRejected: It is too short, too long, a single repeated character, or the username.
    """
    if len(password) < MIN_LENGTH:
        raise InputRejected(f"The password needs at least {MIN_LENGTH} characters.")
    if len(password) > MAX_LENGTH:
        raise InputRejected(f"The password may have at most {MAX_LENGTH} characters.")
    if len(set(password)) < 3 or password.casefold() == username.casefold():
        raise InputRejected("This password is too easy to guess. Take a few words that do not belong together.")


def hash_password(password: str) -> str:
    """Hash a password with a salt of its own."""
    with _turn:
        return _hasher.hash(_normal(password))


def password_matches(password_hash: str | None, password: str) -> bool:
    """Check a password; as slowly for an account without one.

    Args:
        password_hash: The account's hash; None where there is no such account or it has no password.
        password: What was typed.
    """
    with _turn:
        try:
            matches = _hasher.verify(password_hash or _hash_of_nobody(), _normal(password[: MAX_LENGTH + 1]))
        except (VerificationError, InvalidHashError):
            return False
    return matches and password_hash is not None


def needs_new_hash(password_hash: str) -> bool:
    """Whether a hash was made with weaker settings than today's."""
    return _hasher.check_needs_rehash(password_hash)


def _hash_of_nobody() -> str:
    if not _nobody:
        _nobody.append(_hasher.hash(secrets.token_urlsafe(32)))
    return _nobody[0]


def _normal(password: str) -> str:
    """One form for one text: keyboards differ in how they compose an accented letter."""
    return unicodedata.normalize("NFKC", password)
