"""Tables of how the networks call, of their calibration, and of how far the images of one case lie apart."""

from collections.abc import Callable

from colpo_core.exchange.tables import TextTable
from colpo_core.records.models.cards import NETWORKS, SCORES, SHARES, Block, calls, counted, estimate, figure_text


def calls_table(metrics: Block, level: str) -> TextTable:
    """Shares, area under the curve and calibration of both networks.

    Args:
        metrics: Those of a side.
        level: `case` or `image`.
    """
    blocks = [calls(metrics, network, level) for network in NETWORKS]
    names = SHARES | {name: title for name, title in SCORES.items() if all(name in block for block in blocks)}
    rows = []
    for name, title in names.items():
        rows.append((title, *(figure_text(block, name) for block in blocks)))
        if name == "accuracy":
            rows.append(("Accuracy of one call for all, whichever is right more often", *map(_one_call, blocks)))
    return TextTable(("Figure", *NETWORKS.values()), rows)


def _one_call(block: Block) -> str:
    """What a network reaches that looks at no image, such as `all called normal: 14 of 20, 70.0%`."""
    hsil = block["true_positive"] + block["false_negative"]
    normal = block["true_negative"] + block["false_positive"]
    if not hsil + normal:
        return "not defined"
    called, most = ("normal", normal) if normal >= hsil else ("HSIL", hsil)
    return f"all called {called}: {most} of {hsil + normal}, {most / (hsil + normal):.1%}"


def confusion_table(metrics: Block, level: str) -> TextTable:
    """The four counts of both networks."""
    cells = {
        "HSIL called HSIL": "true_positive",
        "HSIL called normal": "false_negative",
        "Normal called HSIL": "false_positive",
        "Normal called normal": "true_negative",
    }
    blocks = [calls(metrics, network, level) for network in NETWORKS]
    rows = [(title, *(str(block[cell]) for block in blocks)) for title, cell in cells.items()]
    return TextTable(("Label and call", *NETWORKS.values()), rows)


def calibration_table(card: Block, metrics: Block, level: str = "image") -> TextTable | None:
    """Calibration before and after it was fitted; None in an older card.

    Args:
        card: The card.
        metrics: Those of the test side.
        level: `case` or `image`; Brier score and calibration error before the calibration are known by image alone.
    """
    before = metrics.get("uncalibrated")
    if not before or "temperatures" not in card:
        return None
    rows: list[tuple[str, ...]] = []
    for network, title in NETWORKS.items():
        after = calls(metrics, network, level)
        if metrics.get(network, {}).get("calibration"):
            first, second = (figures[network]["calibration"][level] for figures in (before, metrics))
            rows += [(title, name, text_of(first), text_of(second)) for name, text_of in _CALIBRATION.items()]
        if level == "image":
            rows += [
                (title, SCORES[name], figure_text(before[network], name), figure_text(after, name))
                for name in ("brier", "ece")
            ]
    return TextTable(("Network", "Figure", "Before", "After"), rows) if rows else None


def in_the_large_table(metrics: Block, level: str) -> TextTable | None:
    """Calibration in the large and slope on a set; None in figures of an earlier version.

    Args:
        metrics: Those of a side, or of a look at an external test set.
        level: `case` or `image`.
    """
    if not all(metrics.get(network, {}).get("calibration") for network in NETWORKS):
        return None
    blocks = [metrics[network]["calibration"][level] for network in NETWORKS]
    rows = [(name, *(text_of(block) for block in blocks)) for name, text_of in _CALIBRATION.items()]
    return TextTable(("Calibration", *NETWORKS.values()), rows)


def _mean_and_share(block: Block) -> str:
    mean = "not defined" if block["mean_prob"] is None else f"{block['mean_prob']:.1%}"
    return f"{mean}; observed {figure_text(block, 'observed')}"


_CALIBRATION: dict[str, Callable[[Block], str]] = {
    "Mean probability, and share that was HSIL": _mean_and_share,
    "Mean probability less that share (0 is right)": lambda block: estimate(block, "in_the_large").text(is_signed=True),
    "Slope (1 is right)": lambda block: figure_text(block, "slope"),
}


def calibration_steps_table(card: Block) -> TextTable | None:
    """What each network's logits go through before they are probabilities; None in a card without temperatures."""
    if "temperatures" not in card:
        return None
    rows = []
    for network, title in NETWORKS.items():
        fitted = (card.get("calibration") or {}).get(network)
        intercept, share = "none: not calibrated for a share of HSIL", ""
        if fitted is not None:
            n_images = counted(fitted["n_normal"] + fitted["n_hsil"], "image")
            intercept = f"{fitted['intercept']:+.2f}"
            share = f"{fitted['n_hsil']} of {n_images} ({fitted['share_hsil']:.1%})"
        rows.append((title, f"{card['temperatures'][network]:.2f}", intercept, share))
    return TextTable(("Network", "Temperature", "Intercept", "Calibrated for a share of HSIL of"), rows)


def repeatability_table(metrics: Block) -> TextTable | None:
    """How far the images of one case lie apart; None in an older card."""
    repeatability = metrics.get("repeatability")
    if not repeatability:
        return None
    names = {
        "spread": "Highest minus lowest probability of a case, mean",
        "within_case_sd": "Standard deviation of one image within its case",
        "both_sides": "Cases called both ways",
    }
    rows = [
        (title, *(figure_text(repeatability[network], name) for network in NETWORKS)) for name, title in names.items()
    ]
    return TextTable(("Figure", *NETWORKS.values()), rows)


def flips_table(metrics: Block) -> TextTable:
    """Cases whose images were called both ways, widest first."""
    rows = [
        (title, str(flip["case_id"]), _flip_end(flip, "low"), _flip_end(flip, "high"))
        for network, title in NETWORKS.items()
        for flip in metrics["repeatability"][network]["flips"]
    ]
    return TextTable(("Network", "Case", "Lowest", "Highest"), rows)


def _flip_end(flip: Block, which: str) -> str:
    image_id = flip[f"{which}_image_id"]
    return f"{flip[f'{which}_prob']:.2f}{'' if image_id is None else f' (image {image_id})'}"
