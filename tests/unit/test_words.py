"""The words of CONTEXT.md hold: what it says to avoid is in no identifier and on no screen."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
GLOSSARY = (CHECKOUT / "CONTEXT.md").read_text(encoding="utf-8")
SOURCES = sorted(
    file
    for room in ("colpo_core", "pages")
    for file in (CHECKOUT / room).rglob("*")
    if file.suffix in {".py", ".js"} and "migrations" not in file.parts
)
_NO_WORDS = re.compile(r":material/\w+:|<style>.*?</style>", re.DOTALL)
_JAVASCRIPT_NAME = re.compile(r"\b(?:const|let|function|class)\s+(\w+)")


def rows_of(heading: str) -> list[list[str]]:
    """The cells of the first table after a heading, its first two lines left out."""
    table = GLOSSARY.partition(heading)[2].partition("\n| ")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("| \n").split(" | ")] for line in table.splitlines()[2:]]


WORDS = {cells[0] for cells in rows_of("# The words of this program")}
WITH_A_MEANING_OF_THEIR_OWN = {cells[0] for cells in rows_of("## Avoided above, and right for something else")}
AVOIDED = sorted(
    {
        word.strip()
        for cells in rows_of("# The words of this program")
        for word in (cells[2] if len(cells) > 2 else "").split(",")
        if word.strip()
    }
    - WORDS
    - WITH_A_MEANING_OF_THEIR_OWN
)


def words_of(name: str) -> str:
    """An identifier as words: `worstImage_id` as ` worst image id `."""
    return f" {re.sub(r'(?<=[a-z0-9])(?=[A-Z])|_', ' ', name).lower()} "


def names_in(file: Path) -> Iterator[str]:
    """Every name that a file binds: functions, classes, arguments, variables, attributes of a class, and its own."""
    yield file.stem
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".js":
        yield from _JAVASCRIPT_NAME.findall(text)
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def texts_in(file: Path) -> Iterator[str]:
    """Every text of a screen's file that is no docstring, without names of icons and rules of style."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield _NO_WORDS.sub("", node.value)


def test_the_glossary_is_read() -> None:
    assert {"image", "checkpoint"} <= WORDS
    assert {"picture", "ground truth"} <= set(AVOIDED)
    assert WITH_A_MEANING_OF_THEIR_OWN


@pytest.mark.parametrize("word", AVOIDED)
def test_an_avoided_word_is_in_no_name(word: str) -> None:
    found = {
        f"{file.relative_to(CHECKOUT)}: {name}"
        for file, names in NAMES.items()
        for name in names
        if f" {word} " in words_of(name) or f" {word}s " in words_of(name)
    }
    assert not found, f"CONTEXT.md says another word than “{word}”"


@pytest.mark.parametrize("word", AVOIDED)
def test_an_avoided_word_is_on_no_screen(word: str) -> None:
    pattern = re.compile(rf"\b{word}s?\b", re.IGNORECASE)
    found = {
        f"{file.relative_to(CHECKOUT)}: {text}"
        for file, texts in TEXTS.items()
        for text in texts
        if pattern.search(text)
    }
    assert not found, f"CONTEXT.md says another word than “{word}”"


def test_a_word_with_a_meaning_of_its_own_is_used() -> None:
    used = " ".join(words_of(name) for names in NAMES.values() for name in names)
    used += " ".join(text.lower() for texts in TEXTS.values() for text in texts)
    assert {word for word in WITH_A_MEANING_OF_THEIR_OWN if word.lower() not in used} == set()


NAMES = {file: set(names_in(file)) for file in SOURCES}
TEXTS = {file: set(texts_in(file)) for file in SOURCES if file.suffix == ".py" and "pages" in file.parts}
