"""What tests ask of HTML."""

from html.parser import HTMLParser

_VOID = frozenset({"meta", "br", "link", "input"})


class _Balanced(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def check_balanced(page: str) -> None:
    """Fail where an element is closed that was not open, or left open."""
    parser = _Balanced()
    parser.feed(page)
    parser.close()
    assert parser.open == []
