"""What the figures of a card say against a promotion: sentences, each of which says what and why."""

from collections.abc import Iterator

from colpo_core.records.models.cards import Block, counted, estimate_or_none
from colpo_core.records.statistics.figures import Estimate, value_text
from colpo_core.terms import Label

FEWEST_CASES = 30
FEWEST_OF_A_LABEL = 10
FEWEST_PATIENTS = 20
MOST_IN_PADDING = 0.10
"""Of the evidence of a map: more in the black bars beside the image is a doubt."""
CALLING = "4ch"
"""The network whose calls Review shows and studies take."""
NETWORK_NAMES = {"4ch": "four channels, which makes the calls,", "3ch": "three channels"}


def figures_of(card: Block) -> Block:
    """The figures of a card; one of an older version may lack them."""
    metrics: Block = card.get("metrics", {})
    return metrics


def one_call(metrics: Block) -> tuple[str, ...]:
    """A network that says the same of every case has learned nothing."""
    calls = {
        name: _cases(metrics, network).get("all_called")
        for network, name in (("3ch", "three channels"), ("4ch", "four channels"))
    }
    return tuple(
        f"With {name} it calls every test case {Label(call)}: it tells nothing apart."
        for name, call in calls.items()
        if call is not None
    )


def no_better_than_chance(metrics: Block, *, where: str = "the test cases") -> tuple[str, ...]:
    """A network whose area under the ROC curve is not shown to lie above one half.

    Args:
        metrics: Figures of the test side or of a look at an external test set.
        where: What they are of.
    """
    return tuple(sentence for network in NETWORK_NAMES for sentence in _chance(metrics, network, where))


def _chance(metrics: Block, network: str, where: str) -> Iterator[str]:
    name = NETWORK_NAMES[network]
    area = estimate_or_none(_cases(metrics, network), "auc")
    if area is None or area.value is None:
        yield f"With {name} nothing is known of how it tells {where} apart: there is no AUC."
        return
    if area.bounds is None:
        yield f"With {name} the AUC on {where} is {area.value:.2f} without an interval: it may be chance."
        return
    text = value_text(area.value, area.bounds, digits=2)
    if area.bounds[1] < 0.5:
        yield f"With {name} the AUC on {where} is {text}: worse than chance."
    elif area.bounds[0] <= 0.5:
        yield f"With {name} the AUC on {where} is {text}: this may be chance, which has 0.50."


def too_few_cases(metrics: Block) -> tuple[str, ...]:
    """A test side that is too small to say how the model does."""
    block = _cases(metrics, CALLING)
    if "true_positive" not in block:
        return ("Its card does not say on how many cases it was tested.",)
    n_hsil = block["true_positive"] + block["false_negative"]
    n_normal = block["true_negative"] + block["false_positive"]
    doubts = []
    if n_hsil + n_normal < FEWEST_CASES or min(n_hsil, n_normal) < FEWEST_OF_A_LABEL:
        doubts.append(
            f"It was tested on {counted(n_hsil + n_normal, 'case')}, {n_hsil} hsil and {n_normal} normal. That is too "
            f"few to know how it does: at least {FEWEST_CASES} are needed, and {FEWEST_OF_A_LABEL} of each label."
        )
    n_patients = block.get("n_patients")
    if n_patients is not None and n_patients < FEWEST_PATIENTS <= n_hsil + n_normal:
        doubts.append(
            f"Its test cases come from {counted(n_patients, 'patient')} alone; at least {FEWEST_PATIENTS} are needed."
        )
    return tuple(doubts)


def evidence_astray(metrics: Block) -> tuple[str, ...]:
    """Maps whose evidence lies no more in the lesion than its area, or in places that show no tissue."""
    return tuple(sentence for network in NETWORK_NAMES for sentence in _astray(metrics, network))


def _astray(metrics: Block, network: str) -> Iterator[str]:
    evidence = metrics.get(network, {}).get("evidence")
    if not evidence:
        return
    name = NETWORK_NAMES[network]
    excess = _known(evidence, "lesion_excess")
    if excess is not None and (excess.low is None or excess.low <= 0):
        yield (
            f"With {name} the evidence for HSIL lies in the annotated lesion no more than the lesion's area gives by "
            f"itself: {_points(excess)} of the evidence beyond it. It may look elsewhere."
        )
    for label in Label:
        padding = _known(evidence["padding"], label.value)
        if padding is not None and padding.value is not None and padding.value > MOST_IN_PADDING:
            yield (
                f"With {name} {padding.value:.0%} of the evidence for {_shown(label)} lies in the black bars beside "
                f"the image, where there is nothing to see (at most {MOST_IN_PADDING:.0%} is taken as harmless)."
            )
        rim, area = _known(evidence["rim"], label.value), _known(evidence, "rim_area")
        if rim is not None and area is not None and rim.low is not None and rim.low > (area.value or 0):
            yield (
                f"With {name} {rim.value:.0%} of the evidence for {_shown(label)} lies in the outermost rim of the "
                f"image, which covers {area.value:.0%} of it: it may look at the border, not at the cervix."
            )


def unknown_evidence(metrics: Block) -> tuple[str, ...]:
    """What of `evidence_astray` a card does not hold."""
    unknown = []
    for network, name in (("4ch", "four channels"), ("3ch", "three channels")):
        evidence = metrics.get(network, {}).get("evidence")
        if not evidence:
            unknown.append(
                f"Where the evidence lies with {name}, in the lesion, in the black bars or in the rim: its card "
                "does not say. Train again to know."
            )
        elif _known(evidence, "lesion_excess") is None:
            unknown.append(
                f"Whether the evidence lies in the lesion with {name}: no test image has an annotated lesion."
            )
    return tuple(unknown)


def _points(excess: Estimate) -> str:
    if excess.value is None:
        return "not known"
    if excess.bounds is None:
        return f"{100 * excess.value:+.0f}% (no interval)"
    return f"{100 * excess.value:+.0f}% ({100 * excess.bounds[0]:+.0f} to {100 * excess.bounds[1]:+.0f})"


def _shown(label: Label) -> str:
    return "HSIL" if label is Label.HSIL else "normal"


def _known(block: Block, name: str) -> Estimate | None:
    """An estimate that has a value; None where there is none."""
    estimate = estimate_or_none(block, name)
    return None if estimate is None or estimate.value is None else estimate


def _cases(metrics: Block, network: str) -> Block:
    block: Block = metrics.get(f"classification_{network}", {}).get("case", {})
    return block
