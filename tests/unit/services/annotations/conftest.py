"""Fixtures of the tests of annotations."""

import pytest

from colpo_core.store import Store
from tests.support.review_desks import add_image


@pytest.fixture
def image_id(store: Store) -> int:
    return add_image(store)
