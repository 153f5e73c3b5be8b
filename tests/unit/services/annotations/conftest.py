"""Fixtures of the tests of annotations."""

import pytest

from colpo_core.services.common.callers import Caller
from colpo_core.store import Store
from tests.conftest import add_person
from tests.support.review_desks import Desk, add_image


@pytest.fixture
def image_id(store: Store) -> int:
    return add_image(store)


@pytest.fixture
def fellow(store: Store) -> Caller:
    return add_person(store, "bea")


@pytest.fixture
def desk(annotator: Caller, image_id: int) -> Desk:
    return Desk(annotator, image_id)
