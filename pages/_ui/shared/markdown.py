"""Text that a person gave, shown as it is."""

_MARKUP = frozenset("\\`*_{}[]()<>#+-.!|~$:&")


def plain(text: str) -> str:
    """A text escaped for Markdown, so that none of it becomes markup."""
    return "".join(f"\\{letter}" if letter in _MARKUP else letter for letter in text)
