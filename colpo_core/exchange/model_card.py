"""A checkpoint's card as one HTML file that stands alone: tables and drawings, no script, nothing from elsewhere."""

from collections.abc import Sequence

from colpo_core.exchange import plots
from colpo_core.exchange.card_tables import calls, comparisons, evidence, masks, training
from colpo_core.exchange.html import document
from colpo_core.exchange.tables import TextTable
from colpo_core.records.agreement import HumanCeiling
from colpo_core.records.models import cards
from colpo_core.records.models.checkpoints import CheckpointRecord, EvaluationRecord, PromotionChecks, PromotionRecord
from colpo_core.records.models.marks import NOT_CALIBRATED_TEXT, MarkKind, marks_text, model_marks
from colpo_core.records.snapshots.snapshots import label_source_text
from colpo_core.terms import LabelSource


def model_card_html(
    checkpoint: CheckpointRecord,
    *,
    looks: Sequence[EvaluationRecord] = (),
    promotions: Sequence[PromotionRecord] = (),
    checks: PromotionChecks | None = None,
    ceiling: HumanCeiling | None = None,
) -> str:
    """The card as one HTML document.

    Args:
        checkpoint: The checkpoint; its card may be of an earlier version.
        looks: Looks at external test sets, newest first.
        promotions: Its promotions, newest first.
        checks: What speaks against promoting it now; None where nothing was checked.
        ceiling: The model beside the annotators; None where no image has masks of two.
    """
    labels = label_source_text(checkpoint.label_source)
    marks = marks_text(checkpoint.marks, without=(MarkKind.IMPRESSION,))
    history = [(f"{each.at:%Y-%m-%d %H:%M}", each.promoted_by, each.reason, " ".join(each.overruled))
               for each in promotions]  # fmt: skip
    return document(
        "model_card.html",
        checkpoint=checkpoint,
        card=checkpoint.card,
        metrics=cards.side(checkpoint.card, "test"),
        looks=looks,
        history=TextTable(("When (UTC)", "By", "Reason", "Overruled"), history),
        checks=checks,
        ceiling=ceiling,
        marks_line=" · ".join(part for part in (labels, marks) if part),
        marks_of=lambda label_source, simulated: _marks(checkpoint, label_source, simulated=simulated),
        probabilities=cards.calibration_text(checkpoint.card) or NOT_CALIBRATED_TEXT,
        plots=plots,
        cards=cards,
        calls=calls,
        masks=masks,
        comparisons=comparisons,
        evidence=evidence,
        training=training,
    )


def _marks(checkpoint: CheckpointRecord, label_source: LabelSource, *, simulated: bool) -> list[tuple[str, str]]:
    """Text and kind of each mark beside figures; what their labels rest on is written out in the first."""
    kind = MarkKind.IMPRESSION.value if label_source is LabelSource.IMPRESSION else ""
    marks = model_marks(checkpoint.card, label_source=label_source, simulated=checkpoint.simulated or simulated)
    others = [(mark.text, mark.kind.value) for mark in marks if mark.kind is not MarkKind.IMPRESSION]
    return [(label_source_text(label_source), kind), *others]
