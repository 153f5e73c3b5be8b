"""A checkpoint's card as one HTML file that stands alone: tables and drawings, no script, nothing from elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape

from colpo_core.exchange import html
from colpo_core.exchange.card_drawings import (
    differences_drawing,
    distributions_drawing,
    reliability_drawing,
    roc_drawing,
)
from colpo_core.records.models import card_tables as tables
from colpo_core.records.models.card_tables import CardTable, Ceiling
from colpo_core.records.models.cards import (
    BLIND_TEXT,
    CALIBRATION_TEXT,
    EVIDENCE_TEXT,
    FORGETTING_TEXT,
    PLACES_TEXT,
    Block,
    calibration_text,
    comparison,
    differences,
    leaks,
    old_card_text,
    side,
)
from colpo_core.records.models.marks import NOT_CALIBRATED_TEXT, Mark, MarkKind, model_marks
from colpo_core.records.models.marks import marks_text as line_of_marks
from colpo_core.terms import LabelSource


@dataclass(frozen=True)
class ExternalLook:
    """One look at an external test set.

    Attributes:
        snapshot_name: Name of the set.
        look: The how manyth look at it this was.
        when: Day and time, UTC.
        by: Who looked.
        labels: What the set's labels rest on.
        by_impression: Whether that is an impression.
        simulated: Whether images of the set were drawn by the program.
        metrics: Figures, as a card holds those of a side.
    """

    snapshot_name: str
    look: int
    when: str
    by: str
    labels: str
    by_impression: bool
    simulated: bool
    metrics: Block


@dataclass(frozen=True)
class PromotionLine:
    """One promotion of the checkpoint.

    Attributes:
        when: Day and time, UTC.
        by: Who promoted it.
        reason: Why.
        overruled: The doubts that were overruled.
    """

    when: str
    by: str
    reason: str
    overruled: tuple[str, ...]


@dataclass(frozen=True)
class About:
    """What the registry knows of a checkpoint beside its card.

    Attributes:
        name: Name of the checkpoint.
        snapshot_name: Name of the snapshot it learned from.
        labels: What its labels rest on, such as `labels by histology`.
        by_impression: Whether that is an impression.
        simulated: Whether images were drawn by the program.
        is_current: Whether it is the clinic's current model.
        ceiling: The model beside the annotators; None where no image of its test side has masks of two.
        looks: Looks at external test sets, newest first.
        promotions: Its promotions, newest first.
        doubts: What speaks against promoting it, now.
        unchecked: What could not be checked.
        checked: The one sentence that says how the checks came out; empty where none were made.
    """

    name: str
    snapshot_name: str
    labels: str
    by_impression: bool
    simulated: bool
    is_current: bool
    ceiling: Ceiling | None = None
    looks: Sequence[ExternalLook] = ()
    promotions: Sequence[PromotionLine] = ()
    doubts: Sequence[str] = ()
    unchecked: Sequence[str] = ()
    checked: str = ""


def model_card_html(card: Block, *, about: About) -> str:
    """The card as one HTML document.

    Args:
        card: The checkpoint's card, of this or an earlier version.
        about: What the registry knows beside it.
    """
    marks = _marks(card, about)
    parts = [
        f"<h1>{escape(about.name)}</h1>",
        marks,
        _head(card, about),
        _limits(card),
        *_doubts(about),
        *_calls(card, about, marks),
        *_masks(card, about, marks),
        *_evidence(card, marks),
        *_mask_help(card, about, marks),
        *_repeatability(card, marks),
        *_against(card, marks),
        *_looks(card, about),
        *_promotions(about),
        "<h2>What it learned from</h2>",
        marks,
        html.table(tables.trained_on_table(card)),
        "<h2>Settings</h2>",
        html.table(tables.settings_table(card)),
        f"<p class='small'>Checkpoint {escape(str(card.get('sha256', 'without a hash')))}<br>"
        f"Snapshot {escape(str(card['snapshot_sha256']))}</p>",
    ]
    return html.document(about.name, parts)


def marks_text(card: Block, about: About) -> str:
    """What every figure carries, in a line: what labels rest on, and the model's marks."""
    marks = line_of_marks(_marks_of(card, about), without=(MarkKind.IMPRESSION,))
    return " · ".join(part for part in (about.labels, marks) if part)


def _marks(card: Block, about: About) -> str:
    marks = [html.mark(about.labels, "impression" if about.by_impression else "")]
    # What the labels rest on is said in full by the first.
    marks += [
        html.mark(one.text, one.kind.value) for one in _marks_of(card, about) if one.kind is not MarkKind.IMPRESSION
    ]
    return "<p>" + "".join(marks) + "</p>"


def _marks_of(card: Block, about: About) -> tuple[Mark, ...]:
    source = LabelSource.IMPRESSION if about.by_impression else LabelSource.HISTOLOGY
    return model_marks(card, label_source=source, simulated=about.simulated)


def _head(card: Block, about: About) -> str:
    said = [f"Trained on snapshot “{about.snapshot_name}”, labelled by rules {card['rules_version']}."]
    if about.is_current:
        said.append("It is the clinic's current model.")
    if card.get("parent"):
        said.append(f"The current model when it was trained: {card['parent']['name']}.")
    return f"<p>{escape(' '.join(said))}</p>" + html.bullets(leaks(card))


def _limits(card: Block) -> str:
    probabilities = calibration_text(card) or NOT_CALIBRATED_TEXT
    return "<h2>Limits</h2>" + html.bullets([*card["limits"], probabilities])


def _calls(card: Block, about: About, marks: str) -> list[str]:
    parts = ["<h2>Calls</h2>"]
    metrics, text = side(card, "test"), marks_text(card, about)
    for level in ("case", "image"):
        parts += [
            f"<h3>Test side, by {level}</h3>",
            marks,
            html.table(tables.calls_table(metrics, level)),
            html.table(tables.confusion_table(metrics, level)),
        ]
    parts += [_figure(roc_drawing(metrics, "case", marks=text), "a ROC curve", "ROC curves, by case.")]
    parts += [_figure(reliability_drawing(metrics, "case", marks=text), "a calibration curve", _RELIABILITY)]
    parts.append("<h3>Before and after the calibration, test side</h3>")
    for level in ("case", "image"):
        table = tables.calibration_table(card, metrics, level)
        if table is not None:
            parts += [f"<p>By {level}:</p>", marks, html.table(table)]
        elif level == "image":
            parts.append(_optional(None, "figures before and after the calibration"))
    steps = tables.calibration_steps_table(card)
    parts += [html.table(steps)] if steps is not None else []
    parts.append(f"<p>{escape(CALIBRATION_TEXT)}</p>")
    thresholds = card.get("thresholds")
    if thresholds:
        rule = thresholds.get("rule", "")
        parts.append(
            f"<p>Thresholds {thresholds['3ch']:.3f} (3 channels) and {thresholds['4ch']:.3f} (4 channels), chosen on "
            f"{escape(str(thresholds['chosen_on']))}. {escape(str(rule))}</p>"
        )
    return parts


_RELIABILITY = (
    "Observed share of HSIL over the probability, by case, with 95% intervals. On the line is right. "
    "Dotted: before the calibration."
)


def _masks(card: Block, about: About, marks: str) -> list[str]:
    block = side(card, "test")["segmentation"]
    drawn = distributions_drawing(block, marks=marks_text(card, about))
    caption = "Each dot an image or a patient; the diamond is the mean over images with its 95% interval by patients."
    parts = ["<h2>Masks</h2>", marks, html.table(tables.segmentation_table(block))]
    parts += [f"<p>{escape(BLIND_TEXT)}</p>", html.table(tables.blind_table(block)), marks]
    parts += [_figure(drawn, "the distribution over images and patients", caption), marks]
    parts.append(html.table(tables.without_lesion_table(block)))
    if about.ceiling:
        parts += ["<h3>Beside the annotators</h3>", marks, html.table(tables.ceiling_table(about.ceiling))]
    return parts


def _mask_help(card: Block, about: About, marks: str) -> list[str]:
    found = comparison(card)
    if not found or not differences(card):
        return ["<h2>Did the mask help?</h2>", f"<p>{escape(old_card_text('the comparison with controls'))}</p>"]
    pair = differences(card)[0]
    said = (
        f"{found['n_seeds']} trainings of each arm. {found['n_test_images_with_expert_mask']} of "
        f"{found['n_test_images']} test images had an expert's mask. Intervals: {pair['interval']}."
    )
    return [
        "<h2>Did the mask help?</h2>",
        marks,
        f"<p class='verdict'>{escape(found['verdict'])}</p>",
        f"<p>{escape(said)}</p>",
        _figure(
            differences_drawing(card, marks=marks_text(card, about)),
            "the comparison with controls",
            "Paired differences by case with 95% intervals: right of the line the first-named does better.",
        ),
        html.table(tables.differences_table(card)),
        html.table(tables.arms_table(card)),
        "<h3>Each training by itself</h3>",
        marks,
        html.table(tables.seeds_table(card)),
    ]


def _evidence(card: Block, marks: str) -> list[str]:
    metrics = side(card, "test")
    return [
        "<h2>Where the evidence lies</h2>",
        marks,
        f"<p>{EVIDENCE_TEXT}</p>",
        _optional(tables.evidence_table(metrics), "where the evidence lies"),
        "<h3>Beside the lesion: black bars and rim</h3>",
        marks,
        f"<p>{escape(PLACES_TEXT)}</p>",
        _optional(tables.places_table(metrics), "the evidence in black bars and rim"),
        "<h3>Do the maps show what was learned?</h3>",
        f"<p>{FORGETTING_TEXT}</p>",
        _optional(tables.forgetting_table(metrics), "whether the maps change when the network forgets"),
    ]


def _repeatability(card: Block, marks: str) -> list[str]:
    metrics = side(card, "test")
    parts = ["<h2>Repeatability</h2>", marks]
    parts.append(_optional(tables.repeatability_table(metrics), "the spread within cases"))
    if metrics.get("repeatability"):
        flips = tables.flips_table(metrics)
        parts.append(html.table(flips) if flips.rows else "<p>No case was called both ways.</p>")
    return parts


def _against(card: Block, marks: str) -> list[str]:
    against = side(card, "test").get("against_current")
    parts = ["<h2>Against the current model</h2>"]
    if not against:
        return [*parts, "<p>It was not compared with another model.</p>"]
    said = (
        f"{against['name']}, on {against['n_images']} test images; {against['n_left_out']} were left out because that "
        "model had learned from their patients."
    )
    return [
        *parts,
        marks,
        f"<p>{escape(said)}</p>",
        html.table(tables.against_table(against)),
        html.bullets(against["worse"]),
    ]


def _looks(card: Block, about: About) -> list[str]:
    parts = ["<h2>External test sets</h2>"]
    if not about.looks:
        return [*parts, "<p>No look was taken at an external test set.</p>"]
    for look in about.looks:
        parts.append(f"<h3>{escape(look.snapshot_name)}, look {look.look}</h3>")
        parts.append(f"<p class='small'>{escape(look.when)} UTC, {escape(look.by)}</p>")
        simulated = about.simulated or look.simulated
        parts.append(
            _marks(card, replace(about, labels=look.labels, by_impression=look.by_impression, simulated=simulated))
        )
        parts.append(html.table(tables.calls_table(look.metrics, "case")))
        calibration = tables.in_the_large_table(look.metrics, "case")
        parts += [html.table(calibration)] if calibration is not None else []
        parts.append(html.table(tables.segmentation_table(look.metrics["segmentation"])))
        parts.append(html.table(tables.blind_table(look.metrics["segmentation"])))
        parts.append(html.table(tables.without_lesion_table(look.metrics["segmentation"])))
    return parts


def _doubts(about: About) -> list[str]:
    if not about.checked:
        return []
    parts = ["<h2>Doubts before a promotion</h2>", f"<p>{escape(about.checked)}</p>", html.bullets(about.doubts)]
    if about.unchecked:
        parts += ["<p>Could not be checked:</p>", html.bullets(about.unchecked)]
    return parts


def _promotions(about: About) -> list[str]:
    if not about.promotions:
        return []
    rows = [(one.when, one.by, one.reason, " ".join(one.overruled)) for one in about.promotions]
    return ["<h2>Promotions</h2>", html.table(CardTable(("When (UTC)", "By", "Reason", "Overruled"), rows))]


def _figure(drawing: str | None, what: str, caption: str) -> str:
    if drawing is None:
        return f"<p>{escape(old_card_text(what))}</p>"
    return html.figure(drawing, caption)


def _optional(table: CardTable | None, what: str) -> str:
    return f"<p>{escape(old_card_text(what))}</p>" if table is None else html.table(table)
