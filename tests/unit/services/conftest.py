"""What the tests of several services share: one case with an image, and the program that brings masks in."""

import pytest

from colpo_core.services.common.actors import program_actor
from colpo_core.services.common.callers import Caller
from colpo_core.store import Store
from tests.conftest import AddCase
from tests.support.handed_out import image_of


@pytest.fixture
def case_id(add_case: AddCase) -> int:
    return add_case()


@pytest.fixture
def image_id(store: Store, case_id: int) -> int:
    return image_of(store, case_id)


@pytest.fixture
def importer(store: Store) -> Caller:
    return Caller(store, program_actor(store, "importer"))
