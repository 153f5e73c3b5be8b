"""A checkpoint's card as a file that a person can keep, print or send."""

from colpo_core.records.people import Actor
from colpo_core.records.snapshots.snapshots import label_source_text
from colpo_core.services.common.permissions import CLINICIANS, require
from colpo_core.services.models.evaluations import list_evaluations
from colpo_core.services.models.human_ceiling import human_ceiling
from colpo_core.services.models.promotion_checks import check_promotion
from colpo_core.services.models.promotions import list_promotions
from colpo_core.services.models.registry import read_checkpoint
from colpo_core.services.snapshots.external_sets import external_sets
from colpo_core.store import Store
from colpo_core.terms import LabelSource


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
    from colpo_core.exchange.model_card import About, ExternalLook, PromotionLine, model_card_html

    found = read_checkpoint(store, checkpoint_id)
    looks = list_evaluations(store, actor=actor, checkpoint_id=checkpoint_id)
    sets = {one.name: one for one in external_sets(store, actor=actor)}
    promotions = list_promotions(store, actor=actor)
    checks = check_promotion(store, actor=actor, checkpoint_id=checkpoint_id)
    ceiling = human_ceiling(store, actor=actor, checkpoint_id=checkpoint_id)
    about = About(
        name=found.name,
        snapshot_name=found.snapshot_name,
        labels=label_source_text(found.label_source),
        by_impression=found.label_source is LabelSource.IMPRESSION,
        simulated=found.simulated,
        is_current=found.is_current,
        doubts=checks.doubts,
        unchecked=checks.unchecked,
        checked=checks.summary,
        ceiling=ceiling if ceiling.n_images_all else None,
        looks=[
            ExternalLook(
                snapshot_name=one.snapshot_name,
                look=one.look,
                when=f"{one.created_at:%Y-%m-%d %H:%M}",
                by=one.created_by,
                labels=label_source_text(sets[one.snapshot_name].label_source),
                by_impression=sets[one.snapshot_name].label_source is LabelSource.IMPRESSION,
                simulated=sets[one.snapshot_name].simulated,
                metrics=one.metrics,
            )
            for one in looks
        ],
        promotions=[
            PromotionLine(f"{one.at:%Y-%m-%d %H:%M}", one.promoted_by, one.reason, one.overruled)
            for one in promotions
            if one.checkpoint_id == checkpoint_id
        ],
    )
    return model_card_html(found.card, about=about)
