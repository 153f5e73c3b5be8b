"""How a checkpoint's card is read, by pages and by the card's file alike.

Cards of earlier versions lack the newer figures. A reader here gives None or nothing for what a card does not hold.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from colpo_core.records.statistics.curves import Curve, Distribution, NamedEstimate, calibration_curve
from colpo_core.records.statistics.figures import Estimate, Proportion, ReliabilityBin

Block = Mapping[str, Any]

NETWORKS = {"3ch": "3 channels", "4ch": "4 channels"}
SHARES = {
    "accuracy": "Accuracy",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ppv": "PPV",
    "npv": "NPV",
}
SCORES = {"auc": "AUC (ROC curve)", "brier": "Brier score", "ece": "Calibration error (ECE)"}
CALIBRATION_TEXT = (
    "A network is taught both labels as equally frequent. Its answers are divided by a temperature (above 1 it had "
    "been too sure of itself) and moved by an intercept, which brings them down to the share of HSIL that they are "
    "calibrated for. Both are fitted on validation. The order of the images, and so the AUC by image, and every call "
    "of an image stay the same. Lower is better for Brier score and calibration error; the latter is too high by "
    "chance in few cases."
)
PLACES_TEXT = (
    "Lesion: the share of the evidence for HSIL that lies in the annotated lesion, less the share of the image that "
    "the lesion covers; 0 is chance. Black bars: the share of a whole map that lies in the bars beside the image, "
    "which are cut off before a map is shown; chance is the share of the box that they cover. Rim: the share of the "
    "evidence within the image that lies in its outermost 5%; chance is the rim's area. Test images, means with 95% "
    "intervals by patients. Evidence in bars and rim speaks for frame or device, not for the cervix."
)
SEGMENTATION = {
    "iou_acetowhite": "IoU, acetowhite",
    "iou_background": "IoU, background",
    "dice": "Dice, acetowhite",
    "kappa": "Cohen's kappa over the pixels",
    "hd95_percent": "95% Hausdorff distance, % of the diagonal",
    "accuracy_acetowhite": "Accuracy, acetowhite",
    "accuracy_background": "Accuracy, background",
}
DISTRIBUTIONS = {"iou_acetowhite": "IoU", "dice": "Dice", "hd95_percent": "HD95, % of the diagonal"}
BLIND_TEXT = (
    "A mask that looks at no image overlaps too, since lesions lie in the middle: the mean of the training masks, cut "
    "where it does best on the training side, and a disc in the middle of their mean area. A segmenter has learned "
    "something only where the difference, paired by image, lies above 0 with its whole interval."
)
EVIDENCE_TEXT = (
    "Share of the Grad-CAM evidence that lies inside the mask, and images whose highest place lies in it (within 3% of "
    "the diagonal), on test images with an annotated lesion. By chance: what a map that prefers no place has, which is "
    "the share of the image that the masks cover, or that lies within 3% of them. Differences are 4 channels minus 3, "
    "paired; 95% intervals by patients."
)
FORGETTING_TEXT = (
    "The weights of a copy are drawn anew from the last layer downwards. A map that shows what was learned changes: "
    "the correlation falls towards 0. One that stays alike shows the image, not the network."
)
COMPARED = {"auc": "AUC", "accuracy": "Accuracy", "sensitivity": "Sensitivity", "specificity": "Specificity"}
CONTROLS = {
    "3ch": "Colours alone: what the mask has to beat.",
    "predicted": "The mask that this model's own segmenter draws, as in use.",
    "empty": "A fourth channel without content: more weights, no mask.",
    "shuffled": "The predicted mask of another patient: a mask, but not hers.",
    "expert": "The expert's mask where there is one, else the predicted one: how far a perfect segmenter could help.",
}
"""What each arm of the comparison is there for."""


def old_card_text(what: str) -> str:
    """What a person is told where a card of an earlier version lacks something.

    Args:
        what: What is missing, such as `a ROC curve`.
    """
    return f"This model was trained by an earlier version; train again for {what}."


def proportion(block: Block, name: str) -> Proportion:
    """A share of a block of figures."""
    return Proportion(**block[name])


def estimate(block: Block, name: str) -> Estimate:
    """A mean or an area of a block of figures."""
    return Estimate(**block[name])


def estimate_or_none(block: Block, name: str) -> Estimate | None:
    """The same, or None where the block does not hold it."""
    return Estimate(**block[name]) if block.get(name) else None


def figure_text(block: Block, name: str) -> str:
    """A share, mean or area with its interval, or that it is not known."""
    figure = block.get(name)
    if not figure:
        return "not known"
    return Proportion(**figure).text() if "k" in figure else Estimate(**figure).text()


def scores_text(block: Block) -> str:
    """How the intervals of area, Brier score and calibration error of a block were made, in words."""
    methods = {(block.get(name) or {}).get("method") for name in ("auc", "brier")} - {None}
    if not methods:
        # A card of an earlier version, or one without any such interval.
        return "AUC, Brier score and calibration error by a bootstrap over patients"
    return (
        "AUC by Newcombe's method 5, widened where the variance of the cases (of patients, where one stands behind "
        "several) is larger; Brier score by Student's distribution over patients, corrected for skewness; calibration "
        "error by a bootstrap over patients"
    )


def leaks(card: Block) -> tuple[str, ...]:
    """What leaks by the way in which the model was trained; the paper's protocol always does."""
    sentences = tuple(str(sentence) for sentence in card.get("leaks") or ())
    if not sentences and card.get("protocol") == "paper":
        return ("Trained by the paper's protocol, in which copies of one image stand on both sides.",)
    return sentences


def calibration_share(card: Block) -> float | None:
    """Share of HSIL that a model's probabilities are calibrated for; None of an earlier version, whose are for none."""
    fitted = card.get("calibration")
    return None if not fitted else float(fitted["4ch"]["share_hsil"])


def calibration_text(card: Block) -> str:
    """For which share of HSIL a model's probabilities are calibrated, in a sentence; empty of an earlier version."""
    calibration = card.get("calibration")
    if not calibration:
        return ""
    fitted = calibration["4ch"]
    n_images = fitted["n_normal"] + fitted["n_hsil"]
    return (
        f"Probabilities are calibrated for a share of HSIL of {fitted['share_hsil']:.1%}, that of the {n_images} "
        "images that the model learned from or was chosen on. Where HSIL is rarer they are too high, where it is more "
        "frequent too low."
    )


def side(card: Block, split: str) -> Block:
    """The figures of the test or of the validation side.

    Args:
        card: The card.
        split: `test` or `validation`.
    """
    figures: Block = card["metrics"] if split == "test" else card["metrics"]["validation"]
    return figures


def calls(metrics: Block, network: str, level: str) -> Block:
    """The figures of one network's calls.

    Args:
        metrics: Those of a side.
        network: Of `NETWORKS`.
        level: `case` or `image`.
    """
    block: Block = metrics[f"classification_{network}"][level]
    return block


def n_of(block: Block, *, level: str) -> str:
    """What stands behind a block of calls, such as `12 cases of 11 patients`."""
    return f"{counted(block['n'], level)} of {counted(block['n_patients'], 'patient')}"


def counted(number: int, word: str) -> str:
    """Such as `1 image` or `12 images`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def comparison(card: Block) -> Block | None:
    """Whether the mask helped, in figures; None in a card of an earlier version."""
    block: Block | None = card["metrics"].get("comparison")
    return block


def differences(card: Block) -> list[Block]:
    """The pairs of the comparison, each with its figures; `first` and `second` are names of arms."""
    compared = comparison(card)
    return [pair for pair in compared["differences"] if isinstance(pair["first"], str)] if compared else []


def pair_name(card: Block, pair: Block) -> str:
    """What a pair holds against what: `the predicted mask − colours alone`."""
    arms = (comparison(card) or {}).get("arms", {})
    first, second = (arms[arm]["name"] for arm in (pair["first"], pair["second"]))
    return f"{second} − {first}"


def roc_curves(metrics: Block, level: str) -> tuple[Curve, ...]:
    """The ROC curves of both networks; none where an older card or a side without both labels has none.

    Args:
        metrics: Those of a side.
        level: `case` or `image`.
    """
    curves = []
    for network, title in NETWORKS.items():
        block = calls(metrics, network, level)
        if not block.get("roc"):
            return ()
        points = tuple((x, y) for x, y in block["roc"])
        curves.append(Curve(f"{title}: AUC {estimate(block, 'auc').text()}", network, points))
    return tuple(curves)


def calibration_curves(metrics: Block, level: str) -> tuple[Curve, ...]:
    """The calibration curves of both networks, each followed by the one before its calibration where that is known.

    None where an older card has none or a side holds no labelled case. See `roc_curves` for the arguments.
    """
    curves = []
    for network, title in NETWORKS.items():
        block = calls(metrics, network, level)
        bins = _bins(block.get("reliability", ()))
        if all(each.observed.value is None for each in bins):
            return ()
        curves.append(calibration_curve(f"{title}: Brier {estimate(block, 'brier').text()}", network, bins))
        before = _bins(metrics.get("uncalibrated", {}).get(network, {}).get("reliability", {}).get(level, ()))
        curves.append(calibration_curve(f"{title}, before the calibration", network, before, is_before=True))
    return tuple(curve for curve in curves if curve.points)


def _bins(blocks: Sequence[Block]) -> list[ReliabilityBin]:
    return [ReliabilityBin(**{**block, "observed": proportion(block, "observed")}) for block in blocks]


def mask_distributions(segmentation: Block) -> tuple[Distribution, ...]:
    """IoU, Dice and 95% Hausdorff distance over images and over patients; none in an older card.

    Images without annotated acetowhite epithelium have no value. A patient's value is the mean over her images.

    Args:
        segmentation: A block of `SegmentationFigures`.
    """
    if "by_image" not in segmentation:
        return ()
    distributions = []
    for name, title in DISTRIBUTIONS.items():
        by_patient: dict[int, list[float]] = {}
        for row in segmentation["by_image"]:
            if row["figures"][name] is not None:
                by_patient.setdefault(row["patient_id"], []).append(float(row["figures"][name]))
        images = (row["figures"][name] for row in segmentation["by_image"])
        distributions.append(
            Distribution(
                title,
                tuple(float(value) for value in images if value is not None),
                tuple(sum(values) / len(values) for values in by_patient.values()),
                estimate_or_none(segmentation, name),
            )
        )
    return tuple(distributions)


def paired_differences(card: Block) -> dict[str, tuple[NamedEstimate, ...]]:
    """The paired differences of the comparison by figure; empty in a card without a comparison."""
    pairs = differences(card)
    return {
        title: tuple(NamedEstimate(pair_name(card, pair), estimate(pair, name)) for pair in pairs)
        for name, title in COMPARED.items()
        if pairs
    }
