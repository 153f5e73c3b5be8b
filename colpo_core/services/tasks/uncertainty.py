"""How unsure the current model is of an image, so that people's time goes where it helps most."""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import rankdata
from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.store.facts import current_checkpoint_id
from colpo_core.store.tables import Prediction


@dataclass(frozen=True)
class Uncertainty:
    """How unsure the current model is of one image.

    Attributes:
        mask_entropy: Mean binary entropy of the segmentation over the image, 0 to 1 bit; None where the prediction is
            from an older version of the program, which did not keep it.
        class_entropy: Binary entropy of the 4-channel network's probability of HSIL, 0 to 1 bit.
        disagreement: Absolute difference of the two networks' probabilities of HSIL, 0 to 1.
        score: Mean of the image's ranks among the images asked about by each of the measures it has: 0 is the surest
            of all, 1 the least sure; images alike share a rank, and a single image has 0.5. Ranks, because the three
            are not on one scale: a lesion of a twentieth of the image moves the mean entropy of the mask little.
    """

    mask_entropy: float | None
    class_entropy: float
    disagreement: float
    score: float


def image_uncertainty(session: Session, image_ids: Collection[int]) -> dict[int, Uncertainty]:
    """What the current model's predictions say of images; an image that it has not predicted is not named.

    Args:
        session: A reading or writing session.
        image_ids: The images, among which the score ranks.
    """
    wanted = set(image_ids)
    rows = session.execute(
        select(Prediction.image_id, Prediction.mask_entropy, Prediction.prob_hsil_3ch, Prediction.prob_hsil_4ch)
        .where(Prediction.checkpoint_id == current_checkpoint_id())
        .order_by(Prediction.image_id)
    )
    uncertainties = {
        image_id: Uncertainty(mask_entropy, binary_entropy(prob_4ch), abs(prob_3ch - prob_4ch), 0.0)
        for image_id, mask_entropy, prob_3ch, prob_4ch in rows
        if image_id in wanted
    }
    return _with_scores(uncertainties)


def binary_entropy(prob: float) -> float:
    """Entropy of a yes-or-no with this probability, 0 to 1 bit."""
    if prob <= 0 or prob >= 1:
        return 0.0
    return float(-prob * np.log2(prob) - (1 - prob) * np.log2(1 - prob))


def _with_scores(uncertainties: dict[int, Uncertainty]) -> dict[int, Uncertainty]:
    measures = (
        {
            image_id: uncertainty.mask_entropy
            for image_id, uncertainty in uncertainties.items()
            if uncertainty.mask_entropy is not None
        },
        {image_id: uncertainty.class_entropy for image_id, uncertainty in uncertainties.items()},
        {image_id: uncertainty.disagreement for image_id, uncertainty in uncertainties.items()},
    )
    ranks = [_ranks(values) for values in measures]
    scores = {image_id: [rank[image_id] for rank in ranks if image_id in rank] for image_id in uncertainties}
    return {
        image_id: replace(uncertainty, score=sum(scores[image_id]) / len(scores[image_id]))
        for image_id, uncertainty in uncertainties.items()
    }


def _ranks(values: dict[int, float]) -> dict[int, float]:
    """Each key's rank by its value, from 0 to 1."""
    if len(values) < 2:
        return dict.fromkeys(values, 0.5)
    # Rounded, because a probability and its complement have one entropy, which sums of floats tell apart.
    ranks = (rankdata(np.round(list(values.values()), 12)) - 1) / (len(values) - 1)
    return dict(zip(values, (float(rank) for rank in ranks), strict=True))
