"""What the machine refuses, as a sentence: a full or read-only disk, a database held by others, a number without a row.

The borders ask this of every error that is not a `ColpoError` yet: pages, routes, commands and runners.
"""

import errno
import sqlite3
from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from colpo_core.errors import Busy, ColpoError, DiskRefuses, InputRejected

_FULL = {errno.ENOSPC, errno.EDQUOT}
_READ_ONLY = {errno.EROFS}
_BROKEN = {errno.EIO}
# The primary result codes of SQLite; an extended code keeps them in its lowest byte.
_SQLITE_FULL, _SQLITE_READ_ONLY = 13, 8
_SQLITE_BROKEN = {10, 14}  # an error of the device, and a file that cannot be opened
_SQLITE_HELD = {5, 6}
_POSTGRESQL_FULL, _POSTGRESQL_READ_ONLY, _POSTGRESQL_IO = "53100", "25006", "58030"
_POSTGRESQL_HELD = {"55P03", "40P01"}
_KEPT = "What was confirmed before is kept."
_FULL_SENTENCE = f"The disk is full, so this could not be kept. {_KEPT} Make room on it, then do it again."
_READ_ONLY_SENTENCE = (
    f"The disk cannot be written: it is read-only. {_KEPT} Ask whoever runs the machine, then do it again."
)
_BROKEN_SENTENCE = (
    f"The disk does not take or give the store's files: it may be full, read-only or damaged. {_KEPT} Ask whoever "
    "runs the machine to look at it."
)


def machine_error(error: BaseException) -> ColpoError | None:
    """The sentence that says what the machine refused; None where the error is of another kind.

    Args:
        error: What was caught; what caused it is looked at too.
    """
    for one in _chain(error):
        if isinstance(one, ColpoError):
            return one
        sentence = _disk_sentence(one)
        if sentence is not None:
            return DiskRefuses(sentence)
        if isinstance(one, PoolTimeout) or _is_held(one):
            return Busy(
                "Others are writing to the store at this moment. Nothing was changed; try again in a few seconds."
            )
        if isinstance(one, OverflowError) and "SQLite INTEGER" in str(one):
            return InputRejected("A number is too large: nothing in the store has it. Choose from the lists.")
    return None


def disk_error(error: BaseException) -> DiskRefuses | None:
    """The same for disks alone."""
    found = machine_error(error)
    return found if isinstance(found, DiskRefuses) else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what caused it, each once."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.orig if isinstance(one, DBAPIError) else None, one.__cause__]


def _disk_sentence(error: BaseException) -> str | None:
    number = error.errno if isinstance(error, OSError) else None
    sqlite = _sqlite_code(error)
    state = getattr(error, "sqlstate", None)
    if number in _FULL or sqlite == _SQLITE_FULL or state == _POSTGRESQL_FULL:
        return _FULL_SENTENCE
    if number in _READ_ONLY or sqlite == _SQLITE_READ_ONLY or state == _POSTGRESQL_READ_ONLY:
        return _READ_ONLY_SENTENCE
    if number in _BROKEN or sqlite in _SQLITE_BROKEN or state == _POSTGRESQL_IO:
        return _BROKEN_SENTENCE
    return None


def _sqlite_code(error: BaseException) -> int | None:
    if not isinstance(error, sqlite3.Error):
        return None
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else int(code) & 0xFF


def _is_held(error: BaseException) -> bool:
    return _sqlite_code(error) in _SQLITE_HELD or getattr(error, "sqlstate", None) in _POSTGRESQL_HELD
