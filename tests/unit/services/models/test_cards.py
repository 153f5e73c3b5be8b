from colpo_core.errors import NotFound, PermissionDenied
from colpo_core.services.common.callers import Caller
from colpo_core.services.models import cards as models_cards
from tests.support.clinic import PredictedClinic
from tests.support.refusals import refused


def test_a_card_holds_what_the_registry_knows(administrator: Caller, reader: Caller) -> None:
    desk = PredictedClinic(administrator)
    told = models_cards.model_card(administrator, checkpoint_id=desk.checkpoint_id)
    assert "<h1>model-1</h1>" in told
    assert "labels by impression (Swede score ≥ 5), not histology" in told
    assert "It is the clinic's current model." in told
    assert "<td>better</td>" in told
    newer = desk.add_checkpoint("model-2", None)
    assert "<td>better</td>" not in models_cards.model_card(administrator, checkpoint_id=newer)
    refused(NotFound, lambda: models_cards.model_card(administrator, checkpoint_id=99))
    refused(PermissionDenied, lambda: models_cards.model_card(reader, checkpoint_id=newer))
