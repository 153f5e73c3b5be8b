"""A checkpoint's card as a file that a person can keep, print or send."""

from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.models.evaluations import list_evaluations
from colpo_core.services.models.human_ceiling import human_ceiling
from colpo_core.services.models.promotion_checks import check_promotion
from colpo_core.services.models.promotions import list_promotions
from colpo_core.services.models.registry import read_checkpoint


@allowed(CLINICIANS)
def model_card(caller: Caller, *, checkpoint_id: int) -> str:
    """One HTML document of a checkpoint: its card, its looks at external test sets, its promotions.

    Raises:
        NotFound: There is no such checkpoint.
    """
    # Only here: matplotlib takes a second to import, and few visits ask for a card.
    from colpo_core.exchange.model_card import model_card_html

    ceiling = human_ceiling(caller, checkpoint_id=checkpoint_id)
    promotions = list_promotions(caller)
    return model_card_html(
        read_checkpoint(caller.store, checkpoint_id),
        looks=list_evaluations(caller, checkpoint_id=checkpoint_id),
        promotions=[each for each in promotions if each.checkpoint_id == checkpoint_id],
        checks=check_promotion(caller, checkpoint_id=checkpoint_id),
        ceiling=ceiling if ceiling.n_images_all else None,
    )
