import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jinja2 import UndefinedError

import colpo_core
from colpo_core.exchange.html import templates_in
from colpo_core.exchange.tables import TextTable
from tests.support.markup import check_balanced

CORE = Path(colpo_core.__file__).parent
MACROS = templates_in(CORE / "exchange" / "templates").get_template("macros.html").module
WILD = "<script>alert('x')</script>"
# Drawn by the program itself, with the texts in it escaped.
SAFE = {"drawing", "drawings.flow_drawing(report)", "mark"}


@pytest.mark.parametrize(
    "html",
    [
        MACROS.table(TextTable((WILD,), [(WILD,)])),
        MACROS.bullets([WILD]),
        MACROS.figure("<svg></svg>", WILD),
        MACROS.mark(WILD, WILD),
    ],
)
def test_texts_are_escaped(html: str) -> None:
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    check_balanced(html)


def test_no_template_takes_a_text_for_markup() -> None:
    templates = [path for path in CORE.rglob("templates/*") if path.suffix in {".html", ".svg"}]
    assert len(templates) == 9
    for path in templates:
        source = path.read_text()
        assert "autoescape" not in source
        assert set(re.findall(r"{{ *([^{}]*?) *\| *safe", source)) <= SAFE


def test_a_name_that_is_not_known_is_an_error() -> None:
    environment = templates_in(CORE / "exchange" / "templates")
    with pytest.raises(UndefinedError):
        environment.from_string("{{ unknown }}").render()
    assert (
        environment.from_string("{{ at|utc }}").render(at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC)) == "2026-01-02 03:04"
    )


def test_long_tables_may_be_printed_on_several_pages_and_short_ones_not() -> None:
    assert "class='short'" in MACROS.table(TextTable(("a",), [("1",)] * 14))
    assert "class='short'" not in MACROS.table(TextTable(("a",), [("1",)] * 15))
    assert MACROS.bullets([]).strip() == ""
