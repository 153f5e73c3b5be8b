"""Whether a training could start on what a snapshot counts, and what its figures would lack."""

from typing import Any

from colpo_core.terms import Label, Split

FEWEST_OF_A_LABEL = 10


def judge_counts(counts: dict[str, Any], *, external: bool = False) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Why no training could start on what `Manifest.counts` counted, and what its figures would lack.

    Args:
        counts: The counts.
        external: Whether it is an external test set, which has a test side alone and no training to start.
    """
    if external:
        return (), _warnings(counts, Split.TEST)
    problems = []
    if not counts["masks"][Split.TRAIN]:
        problems.append(
            "No submitted mask that the snapshot takes stands in train. Annotate acetic-acid images, confirm masks "
            "that wait, or take other masks."
        )
    missing = _lacking(counts, Split.TRAIN)
    if missing:
        problems.append(f"Train holds no case labelled {' and none labelled '.join(missing)}. Enter histology first.")
    return tuple(problems), (
        *_too_few(counts, Split.TRAIN),
        *_warnings(counts, Split.VALIDATION),
        *_warnings(counts, Split.TEST),
    )


def _warnings(counts: dict[str, Any], split: Split) -> tuple[str, ...]:
    warnings = []
    missing = _lacking(counts, split)
    if missing:
        warnings.append(f"{split.value.capitalize()} holds no case labelled {' or '.join(missing)}.")
    if not counts["masks"][split]:
        warnings.append(f"{split.value.capitalize()} holds no mask.")
    return (*warnings, *_too_few(counts, split))


def _too_few(counts: dict[str, Any], split: Split) -> tuple[str, ...]:
    """What a side says of a label with so few cases that one more or less changes it."""
    few = [
        f"{counts['case_labels'][split][label]} labelled {label.value}"
        for label in Label
        if 0 < counts["case_labels"][split][label] < FEWEST_OF_A_LABEL
    ]
    if not few:
        return ()
    what = "what a model learns of it" if split is Split.TRAIN else "the figures"
    return (
        f"{split.value.capitalize()} holds only {' and '.join(few)}: with fewer than {FEWEST_OF_A_LABEL} cases of a "
        f"label, one case more or less changes {what} a lot.",
    )


def _lacking(counts: dict[str, Any], split: Split) -> list[str]:
    return [label.value for label in Label if not counts["case_labels"][split][label]]
