"""What a service refuses, for tests."""

from collections.abc import Callable

import pytest


def refused(error: type[Exception], *deeds: Callable[[], object], match: str | None = None) -> None:
    """Assert that each of the deeds, functions without arguments, raises an error whose text matches a pattern."""
    for deed in deeds:
        with pytest.raises(error, match=match):
            deed()
