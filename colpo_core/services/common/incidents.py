"""Errors that nobody foresaw: a number for the person, and for the log what a developer needs.

The log gets the kinds of the errors and where they were raised, never their texts: the text of a foreign error may
hold a patient's data, such as the values of a failed statement.
"""

import logging
import secrets
import traceback

_logger = logging.getLogger(__name__)


def log_incident(error: BaseException) -> str:
    """Write an unforeseen error to the log.

    Returns:
        The incident's number, such as `4F2A-91C0`, under which the log has it.
    """
    digits = secrets.token_hex(4).upper()
    number = f"{digits[:4]}-{digits[4:]}"
    _logger.error("incident %s\n%s", number, describe(error))
    return number


def describe(error: BaseException) -> str:
    """The kinds and places of an error and of what caused it, the outermost first, without their texts."""
    parts: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        kind = type(current)
        parts.append(f"{kind.__module__}.{kind.__qualname__}")
        frames = traceback.extract_tb(current.__traceback__)
        parts += [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
        current = current.__cause__ or current.__context__
    return "\n".join(parts)
