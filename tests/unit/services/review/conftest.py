"""A clinic whose images a model has predicted."""

import pytest

from colpo_core.records.people import Actor
from colpo_core.store import Store
from tests.support.clinic import PredictedClinic


@pytest.fixture
def desk(store: Store, administrator: Actor) -> PredictedClinic:
    return PredictedClinic(store, administrator)
