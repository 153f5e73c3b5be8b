"""The drawings of a card's file; None where a card of an earlier version lacks what one takes."""

from colpo_core.exchange.plots import Curve, ForestRow, forest_svg, reliability_svg, roc_svg, violin_svg
from colpo_core.records.models.cards import (
    COMPARED,
    DISTRIBUTIONS,
    NETWORKS,
    Block,
    calls,
    differences,
    estimate,
    estimate_or_none,
    pair_name,
    spread_by,
    uncalibrated_bins,
)


def roc_drawing(metrics: Block, level: str, *, marks: str) -> str | None:
    """ROC curves of both networks; None too where a side does not hold both labels.

    Args:
        metrics: Those of a side.
        level: `case` or `image`.
        marks: What every figure carries.
    """
    curves = []
    for network, title in NETWORKS.items():
        block = calls(metrics, network, level)
        if not block.get("roc"):
            return None
        name = f"{title}: AUC {estimate(block, 'auc').text()}"
        curves.append(Curve(name, network, [(x, y) for x, y in block["roc"]]))
    return roc_svg(curves, marks=marks)


def reliability_drawing(metrics: Block, level: str, *, marks: str) -> str | None:
    """Calibration curves of both networks, and what they were before the calibration. See `roc_drawing`."""
    curves = []
    for network, title in NETWORKS.items():
        block = calls(metrics, network, level)
        bins = [one for one in block.get("reliability", ()) if one["observed"]["value"] is not None]
        if not bins:
            return None
        name = f"{title}: Brier {estimate(block, 'brier').text()}"
        points = [(one["mean_prob"], one["observed"]["value"]) for one in bins]
        bounds = [(one["observed"]["low"], one["observed"]["high"]) for one in bins]
        curves.append(Curve(name, network, points, bounds))
        before = uncalibrated_bins(metrics, network, level)
        if before:
            points = [(one["mean_prob"], one["observed"]["value"]) for one in before]
            curves.append(Curve(f"{title}, before the calibration", network, points, is_before=True))
    return reliability_svg(curves, marks=marks)


def distributions_drawing(segmentation: Block, *, marks: str) -> str | None:
    """IoU, Dice and 95% Hausdorff distance over images and over patients."""
    if "by_image" not in segmentation:
        return None
    panels = {
        title: {
            "images": spread_by(segmentation, name, patients=False),
            "patients": spread_by(segmentation, name, patients=True),
        }
        for name, title in DISTRIBUTIONS.items()
    }
    means = {
        title: mean
        for name, title in DISTRIBUTIONS.items()
        if (mean := estimate_or_none(segmentation, name)) is not None
    }
    return violin_svg(panels, means=means, marks=marks)


def differences_drawing(card: Block, *, marks: str) -> str | None:
    """The paired differences of the comparison about a line at zero."""
    pairs = differences(card)
    if not pairs:
        return None
    panels = {
        title: [ForestRow(pair_name(card, pair), estimate(pair, name)) for pair in pairs]
        for name, title in COMPARED.items()
    }
    return forest_svg(panels, marks=marks)
