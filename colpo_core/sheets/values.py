"""What stands in cells: numbers, yes and no, names; and what cannot be told from each other, refused."""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_POINT = re.compile(r"[+-]?(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?\d+[eE][+-]?\d+", re.ASCII)
_COMMA = re.compile(r"[+-]?(?:\d+,\d*|,\d+)(?:[eE][+-]?\d+)?", re.ASCII)
# One to three digits, then three: thousands to some, a decimal to others.
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:[.,]\d{3})+", re.ASCII)
_PERCENT = re.compile(r"\s*[%％]\Z")
NO_NUMBER = "is no number"
_YES = frozenset({"1", "1.0", "1,0", "true", "yes", "y", "positive", "hsil", "wahr", "ja", "vrai", "oui", "예"})
_NO = frozenset(
    {"0", "0.0", "0,0", "false", "no", "n", "negative", "normal", "falsch", "nein", "faux", "non", "아니오"}
)


@dataclass(frozen=True)
class Numbers:
    """The numbers of a column.

    Attributes:
        values: Each text's number; NaN where it is none, or cannot be told.
        problems: Why, by the text: the end of a sentence that begins with the text.
        notes: What was made of them all, in sentences.
    """

    values: Mapping[str, float]
    problems: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_numbers(texts: Iterable[str], *, has_comma_cells: bool = False) -> Numbers:
    """The numbers of a column, each text once.

    A column has decimal points or decimal commas, not both, and no marks between thousands: what may be read either way
    (`1,234`; `1.234` where the file is not separated by commas) is refused unless another number of the column shows
    which mark is the decimal one. Numbers with a percent sign are shares, where all of the column have it.

    Args:
        texts: What the column holds, without blanks around it and without empty cells.
        has_comma_cells: Whether the file comes from where decimals have commas, as far as its separators tell.
    """
    bare = {text: _PERCENT.sub("", text) for text in texts}
    percent = {text for text, number in bare.items() if number != text}
    points = {text for text, number in bare.items() if _POINT.fullmatch(number)}
    commas = {text for text, number in bare.items() if _COMMA.fullmatch(number)}
    unsure = {text for text in points | commas if _THOUSANDS.fullmatch(bare[text])}
    shows_point, shows_comma = bool(points - unsure), bool(commas - unsure)
    values, problems = {}, {}
    for text, number in bare.items():
        problem = ""
        if _WHOLE.fullmatch(number):
            pass
        elif text in commas:
            problem = _of_mark(shows_point, shows_comma, is_unsure=text in unsure)
        elif text in points:
            problem = _of_mark(shows_comma, shows_point or not has_comma_cells, is_unsure=text in unsure)
        else:
            problem = _why_no_number(number)
        if not problem and percent and text not in percent:
            problem = "has no percent sign, and others of the column have one: write all of them in one way"
        value = math.nan if problem else float(number.replace(",", ".")) / (100 if text in percent else 1)
        if not problem and not math.isfinite(value):
            problem = NO_NUMBER
        values[text] = value
        if problem:
            problems[text] = problem
    notes = ("Numbers with a percent sign were read as shares: 96% is 0.96.",) if percent and not problems else ()
    return Numbers(values, problems, notes)


def read_yes_or_no(text: str) -> bool | None:
    """Whether a text says yes (1, TRUE, positive, hsil) or no (0, FALSE, negative, normal); None for other texts."""
    word = unicodedata.normalize("NFKC", text).casefold()
    return True if word in _YES else False if word in _NO else None


def is_formula(text: str) -> bool:
    """Whether a spreadsheet might run a text: an exported one has an apostrophe before it."""
    return _FORMULA.match(text) is not None


def plain_name(text: str) -> str:
    """A name as it is compared: composed (NFC), without blanks around it or an apostrophe that an export put first."""
    name = unicodedata.normalize("NFC", text).strip().strip("\ufeff\u200b")
    return name[1:].strip() if name.startswith("'") and is_formula(name[1:]) else name


def hidden_character(text: str) -> str | None:
    """The first character of a text that nobody sees, as `U+200B`; None where there is none."""
    for character in text:
        kind = unicodedata.category(character)
        if kind in {"Cc", "Cf", "Zl", "Zp", "Cn", "Co", "Cs"}:
            return f"U+{ord(character):04X}"
    return None


def near_twins(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Names that a person would hardly mean to be different: of other capitals, blanks, widths or leading zeros.

    Returns:
        Groups of two or more, each sorted, in the order of the alphabet.
    """
    groups: dict[object, set[str]] = {}
    for name in names:
        groups.setdefault(_looks(name), set()).add(name)
    return sorted(tuple(sorted(group)) for group in groups.values() if len(group) > 1)


def heading(text: str) -> str:
    """A column's heading as it is compared: `Patient Code`, `patient_code` and `PATIENT-CODE` are alike."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(one for one in folded if one.isalnum()) or folded.strip()


def listed(things: Sequence[str], *, shown: int = 3) -> str:
    """The first few of many: `a, b, c and 9 more`."""
    more = f" and {len(things) - shown} more" if len(things) > shown else ""
    return ", ".join(things[:shown]) + more


def _looks(name: str) -> object:
    folded = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    if _WHOLE.fullmatch(folded) or _POINT.fullmatch(folded):
        return float(folded)
    return "".join(one for one in folded if unicodedata.category(one) != "Cf")


def _of_mark(shows_other: bool, shows_this: bool, *, is_unsure: bool) -> str:
    """What is wrong with a number that holds a point or a comma, by what the column's other numbers show."""
    if shows_other:
        return "has another decimal mark than others of the column: write all of them with one mark"
    if is_unsure and not shows_this:
        return "can be thousands or a decimal: write it without marks between thousands"
    return ""


def _why_no_number(text: str) -> str:
    if "," in text and "." in text:
        return "holds points and commas: write it without marks between thousands"
    if text.count(",") > 1 or text.count(".") > 1:
        return "holds several points or commas: write it without marks between thousands"
    if any(mark in text for mark in ("_", "'", "’")) or any(one.isspace() for one in text.strip()):
        return "holds marks between its digits: write it in digits alone"
    return NO_NUMBER
