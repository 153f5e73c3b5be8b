"""Documents about the code name files that are there."""

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
DOCUMENTS = ("CONTRIBUTING.md", "docs/architecture.md", "docs/adr/README.md")
ROOTS = (CHECKOUT, CHECKOUT / "colpo_core", CHECKOUT / "docs" / "adr")
_NAMED = re.compile(r"`([\w./-]+/[\w.-]*\w\.(?:py|js|md|toml|R|html))`|\]\(([\w./-]+\.md)\)")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_a_document_names_is_there(document: str) -> None:
    text = (CHECKOUT / document).read_text(encoding="utf-8")
    named = {name or link for name, link in _NAMED.findall(text)}
    assert named
    roots = (*ROOTS, (CHECKOUT / document).parent)
    assert {name for name in named if not any((root / name).is_file() for root in roots)} == set()
