"""Cards of checkpoints against which nothing can be said, and what promotes one."""

from dataclasses import asdict
from typing import Any

from colpo_core.evaluation.judged import Judged
from colpo_core.evaluation.probabilities import probability_figures
from colpo_core.services.common.callers import Caller
from colpo_core.services.models import promotions as models_promotions
from colpo_core.services.models.promotion_checks import check_promotion
from colpo_core.terms import Label


def estimate(value: float | None, low: float | None = None, high: float | None = None) -> dict[str, Any]:
    return {"value": value, "low": low, "high": high, "n_patients": 40, "n_images": 40}


def sound() -> dict[str, Any]:
    """Figures of 40 test cases against which nothing can be said."""
    judged = [
        Judged(case, case, Label.HSIL if case % 2 else Label.NORMAL, (0.3, 0.7)[case % 2] + (case % 7 - 3) / 11)
        for case in range(40)
    ]
    block = asdict(probability_figures(judged, threshold=0.5, resamples=200)) | {"all_called": None}
    evidence = {
        "lesion_excess": estimate(0.3, 0.2, 0.4),
        "padding": {"hsil": estimate(0.02, 0.01, 0.03), "normal": estimate(0.03, 0.02, 0.04)},
        "padding_area": estimate(0.25, 0.25, 0.25),
        "rim": {"hsil": estimate(0.1, 0.08, 0.12), "normal": estimate(0.2, 0.15, 0.24)},
        "rim_area": estimate(0.19, 0.19, 0.19),
    }
    return {
        "classification_3ch": {"image": block, "case": block},
        "classification_4ch": {"image": block, "case": block},
        "3ch": {"evidence": evidence},
        "4ch": {"evidence": evidence},
    }


def promote(caller: Caller, checkpoint_id: int, **words: str) -> None:
    models_promotions.promote_checkpoint(caller, checkpoint_id=checkpoint_id, reason="better", **words)


def promotion_doubts(caller: Caller, checkpoint_id: int) -> tuple[str, ...]:
    """What speaks against promoting a checkpoint."""
    return check_promotion(caller, checkpoint_id=checkpoint_id).doubts
