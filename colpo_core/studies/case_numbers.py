"""Case numbers as a person types them: `3, 5, 8-12`."""

import re

from colpo_core.errors import InputRejected
from colpo_core.studies.design import MOST_CASES

_PART = re.compile(r"(\d{1,9})(?:\s*[-–]\s*(\d{1,9}))?")


def parse_case_numbers(text: str) -> tuple[int, ...]:
    """Read a list of case numbers and ranges, parted by commas, semicolons or blanks.

    Args:
        text: Such as `3, 5, 8-12`.

    Returns:
        The numbers in rising order, each once.

    Raises:
        InputRejected: A part is neither a number nor a range, or there are too many.
    """
    numbers: set[int] = set()
    rest = re.sub(r"\s*[-–]\s*", "-", text.strip())
    for part in filter(None, re.split(r"[\s,;]+", rest)):
        match = _PART.fullmatch(part)
        if match is None:
            raise InputRejected(f"{part!r} is not a case number. Write numbers and ranges, such as 3, 5, 8-12.")
        first = int(match[1])
        last = int(match[2]) if match[2] else first
        if last < first:
            raise InputRejected(f"The range {part} runs backwards. Write the smaller number first.")
        if last - first >= MOST_CASES or len(numbers) + last - first >= MOST_CASES:
            raise InputRejected(f"A study takes at most {MOST_CASES:,} cases. Name fewer.")
        numbers.update(range(first, last + 1))
    return tuple(sorted(numbers))
