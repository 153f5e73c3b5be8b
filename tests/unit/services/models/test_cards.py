import pytest

from colpo_core.errors import NotFound, PermissionDenied
from colpo_core.records.people import Actor
from colpo_core.services.common.callers import Caller
from colpo_core.services.models import cards as models_cards
from colpo_core.store import Store
from tests.support.clinic import PredictedClinic


def test_a_card_holds_what_the_registry_knows(store: Store, administrator: Actor, reader: Actor) -> None:
    desk = PredictedClinic(store, administrator)
    told = models_cards.model_card(Caller(store, administrator), checkpoint_id=desk.checkpoint_id)
    assert "<h1>model-1</h1>" in told
    assert "labels by impression (Swede score ≥ 5), not histology" in told
    assert "It is the clinic's current model." in told
    assert "<td>better</td>" in told
    newer = desk.add_checkpoint("model-2", None)
    assert "<td>better</td>" not in models_cards.model_card(Caller(store, administrator), checkpoint_id=newer)
    with pytest.raises(NotFound):
        models_cards.model_card(Caller(store, administrator), checkpoint_id=99)
    with pytest.raises(PermissionDenied):
        models_cards.model_card(Caller(store, reader), checkpoint_id=newer)
