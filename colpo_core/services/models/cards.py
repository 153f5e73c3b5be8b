"""A checkpoint's card as a file that a person can keep, print or send."""

from colpo_core.records.people import Actor
from colpo_core.services.common.permissions import CLINICIANS, require
from colpo_core.services.models.evaluations import list_evaluations
from colpo_core.services.models.human_ceiling import human_ceiling
from colpo_core.services.models.promotion_checks import check_promotion
from colpo_core.services.models.promotions import list_promotions
from colpo_core.services.models.registry import read_checkpoint
from colpo_core.store import Store


def model_card(store: Store, *, actor: Actor, checkpoint_id: int) -> str:
    """One HTML document of a checkpoint: its card, its looks at external test sets, its promotions.

    Args:
        store: The open store.
        actor: Who asks.
        checkpoint_id: Row of the checkpoint.

    Raises:
        NotFound: There is no such checkpoint.
        PermissionDenied: The actor is a reader.
    """
    require(actor, CLINICIANS)
    # Only here: matplotlib takes a second to import, and few visits ask for a card.
    from colpo_core.exchange.model_card import model_card_html

    ceiling = human_ceiling(store, actor=actor, checkpoint_id=checkpoint_id)
    promotions = list_promotions(store, actor=actor)
    return model_card_html(
        read_checkpoint(store, checkpoint_id),
        looks=list_evaluations(store, actor=actor, checkpoint_id=checkpoint_id),
        promotions=[each for each in promotions if each.checkpoint_id == checkpoint_id],
        checks=check_promotion(store, actor=actor, checkpoint_id=checkpoint_id),
        ceiling=ceiling if ceiling.n_images_all else None,
    )
