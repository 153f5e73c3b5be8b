"""The tables of a checkpoint's card, in words: a page and the card's file show the same ones.

Each table is a list of rows, each row as many texts as the table's heading; no figure stands without its interval.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from colpo_core.records.models.cards import (
    COMPARED,
    CONTROLS,
    NETWORKS,
    SCORES,
    SEGMENTATION,
    SHARES,
    Block,
    calls,
    comparison,
    counted,
    differences,
    estimate,
    estimate_or_none,
    figure_text,
    pair_name,
    signed_text,
)
from colpo_core.records.statistics.figures import Estimate, p_text
from colpo_core.terms import Split


@dataclass(frozen=True)
class CardTable:
    """A table in words.

    Attributes:
        heading: Names of its columns.
        rows: As many texts each.
    """

    heading: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


class Ceiling(Protocol):
    """The model's masks beside the annotators' own; see `services.learning.human_ceiling`."""

    @property
    def model_dice(self) -> Estimate: ...  # noqa: D102
    @property
    def model_kappa(self) -> Estimate: ...  # noqa: D102
    @property
    def annotators_dice(self) -> Estimate: ...  # noqa: D102
    @property
    def annotators_kappa(self) -> Estimate: ...  # noqa: D102
    @property
    def all_annotators_dice(self) -> Estimate: ...  # noqa: D102
    @property
    def all_annotators_kappa(self) -> Estimate: ...  # noqa: D102
    @property
    def n_images_shared(self) -> int: ...  # noqa: D102
    @property
    def n_images_all(self) -> int: ...  # noqa: D102


def calls_table(metrics: Block, level: str) -> CardTable:
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
    return CardTable(("Figure", *NETWORKS.values()), rows)


def _one_call(block: Block) -> str:
    """What a network reaches that looks at no image, such as `all called normal: 14 of 20, 70.0%`."""
    hsil = block["true_positive"] + block["false_negative"]
    normal = block["true_negative"] + block["false_positive"]
    if not hsil + normal:
        return "not defined"
    called, most = ("normal", normal) if normal >= hsil else ("HSIL", hsil)
    return f"all called {called}: {most} of {hsil + normal}, {most / (hsil + normal):.1%}"


def confusion_table(metrics: Block, level: str) -> CardTable:
    """The four counts of both networks."""
    cells = {
        "HSIL called HSIL": "true_positive",
        "HSIL called normal": "false_negative",
        "Normal called HSIL": "false_positive",
        "Normal called normal": "true_negative",
    }
    blocks = [calls(metrics, network, level) for network in NETWORKS]
    rows = [(title, *(str(block[cell]) for block in blocks)) for title, cell in cells.items()]
    return CardTable(("Label and call", *NETWORKS.values()), rows)


def calibration_table(card: Block, metrics: Block, level: str = "image") -> CardTable | None:
    """How far probabilities mean what they say, before and after the calibration; None in an older card.

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
            first, second = (one[network]["calibration"][level] for one in (before, metrics))
            rows += [(title, name, told(first), told(second)) for name, told in _CALIBRATION.items()]
        if level == "image":
            rows += [
                (title, SCORES[name], figure_text(before[network], name), figure_text(after, name))
                for name in ("brier", "ece")
            ]
    return CardTable(("Network", "Figure", "Before", "After"), rows) if rows else None


def in_the_large_table(metrics: Block, level: str) -> CardTable | None:
    """Whether probabilities mean what they say on a set; None in figures of an earlier version.

    Args:
        metrics: Those of a side, or of a look at an external test set.
        level: `case` or `image`.
    """
    if not all(metrics.get(network, {}).get("calibration") for network in NETWORKS):
        return None
    blocks = [metrics[network]["calibration"][level] for network in NETWORKS]
    rows = [(name, *(told(one) for one in blocks)) for name, told in _CALIBRATION.items()]
    return CardTable(("Calibration", *NETWORKS.values()), rows)


def _mean_and_share(block: Block) -> str:
    mean = "not defined" if block["mean_prob"] is None else f"{block['mean_prob']:.1%}"
    return f"{mean}; observed {figure_text(block, 'observed')}"


_CALIBRATION: dict[str, Callable[[Block], str]] = {
    "Mean probability, and share that was HSIL": _mean_and_share,
    "Mean probability less that share (0 is right)": lambda block: signed_text(estimate(block, "in_the_large")),
    "Slope (1 is right)": lambda block: figure_text(block, "slope"),
}


def calibration_steps_table(card: Block) -> CardTable | None:
    """What each network's answers go through before they are probabilities; None in a card that has no temperature."""
    if "temperatures" not in card:
        return None
    found = card.get("calibration") or {}
    rows = []
    for network, title in NETWORKS.items():
        one = found.get(network)
        intercept = "none: not calibrated for a share of HSIL" if one is None else f"{one['intercept']:+.2f}"
        share = "" if one is None else _share_of_hsil(one)
        rows.append((title, f"{card['temperatures'][network]:.2f}", intercept, share))
    return CardTable(("Network", "Temperature", "Intercept", "Calibrated for a share of HSIL of"), rows)


def _share_of_hsil(one: Block) -> str:
    return f"{one['n_hsil']} of {counted(one['n_normal'] + one['n_hsil'], 'image')} ({one['share_hsil']:.1%})"


def places_table(metrics: Block) -> CardTable | None:
    """Evidence in the lesion beyond its area, in the black bars and in the image's rim; None in an older card.

    Args:
        metrics: Those of a side.
    """
    if not all(metrics.get(network, {}).get("evidence") for network in NETWORKS):
        return None
    blocks = [metrics[network]["evidence"] for network in NETWORKS]
    rows: list[tuple[str, ...]] = [
        ("Evidence for HSIL in the lesion, beyond its area", *(_signed(one["lesion_excess"]) for one in blocks), "0")
    ]
    for place, name in (("padding", "in the black bars"), ("rim", "in the image's rim")):
        for label, title in (("hsil", "HSIL"), ("normal", "normal")):
            chance = Estimate(**blocks[0][f"{place}_area"])
            rows.append(
                (
                    f"Evidence for {title} {name}",
                    *(_share(one[place][label]) for one in blocks),
                    "" if chance.value is None else f"area {chance.value:.1%}",
                )
            )
    return CardTable(("Figure", *NETWORKS.values(), "By chance"), rows)


def _signed(block: Block) -> str:
    return signed_text(Estimate(**block))


def _share(block: Block) -> str:
    found = Estimate(**block)
    images = counted(found.n_images, "image")
    if found.value is None:
        return f"not defined ({images})"
    if found.low is None or found.high is None:
        why = found.missing or f"{images} of {counted(found.n_patients, 'patient')}"
        return f"{found.value:.1%} (no interval: {why})"
    bounds = f"{100 * found.low:.1f} to {100 * found.high:.1f}"
    return f"{found.value:.1%} ({bounds}; {images} of {counted(found.n_patients, 'patient')})"


def segmentation_table(block: Block) -> CardTable:
    """Means over images with their intervals, and beside them those of masks that look at no image.

    Images without acetowhite epithelium stand in a table of their own.
    """
    blind = block.get("blind") or {}
    rows = [
        (title, figure_text(block, name), *(figure_text(blind.get(mask, {}), name) for mask in _BLIND),
         _images(block, name))
        for name, title in SEGMENTATION.items()
    ]  # fmt: skip
    return CardTable(("Mean over images", "Value (95% interval by patients)", *_BLIND.values(), "Images"), rows)


_BLIND = {"mean_mask": "Mean training mask, no image looked at", "disc": "Disc in the middle, no image looked at"}


def blind_table(block: Block) -> CardTable:
    """How much better the masks are than masks that look at no image, paired by image."""
    blind = block.get("blind") or {}
    rows = [
        (f"{title} minus that of the {name}", _difference(blind.get(mask, {}), figure))
        for mask, name in (("mean_mask", "mean training mask"), ("disc", "disc in the middle"))
        for figure, title in (("iou_difference", "IoU"), ("dice_difference", "Dice"))
    ]
    return CardTable(("Against masks that look at no image", "Difference (95% interval by patients)"), rows)


def _difference(block: Block, name: str) -> str:
    found = estimate_or_none(block, name)
    return "not known" if found is None else signed_text(found)


def without_lesion_table(block: Block) -> CardTable:
    """What the segmenter did on images in which nobody marked acetowhite epithelium."""
    area = ((block.get("blind") or {}).get("mean_mask") or {}).get("area")
    rows = [
        (
            "Share of the image marked, where a person confirmed that nothing is acetowhite",
            figure_text(block, "lesion_free_area"),
            _images(block, "lesion_free_area"),
        ),
        (
            "Share of the image marked, all images with an empty mask",
            figure_text(block, "false_area"),
            _images(block, "false_area"),
        ),
        (
            "Images left untouched",
            figure_text(block, "n_clean_without_acetowhite"),
            str(block["n_images_without_acetowhite"]),
        ),
        (
            "Share of the image that the mean training mask covers",
            "not known" if area is None else f"about {area:.0%}, whatever the image shows",
            "",
        ),
    ]
    return CardTable(("Images without acetowhite epithelium", "Value (95% interval)", "Images"), rows)


def arms_table(card: Block) -> CardTable:
    """The arms of the comparison, each with what it is there for."""
    found: Mapping[str, Any] = (comparison(card) or {}).get("arms", {})
    names = COMPARED | {"brier": "Brier score"}
    rows = [
        (_upper(arm["name"]), CONTROLS[name], *(estimate(arm, figure).text() for figure in names))
        for name, arm in found.items()
    ]
    return CardTable(("Arm", "What it is there for", *names.values()), rows)


def differences_table(card: Block) -> CardTable:
    """The paired differences, second arm minus first."""
    names = COMPARED | {"brier": "Brier score"}
    rows = [
        (_upper(pair_name(card, pair)), *(signed_text(estimate(pair, figure)) for figure in names))
        for pair in differences(card)
    ]
    return CardTable(("Difference", *names.values()), rows)


def seeds_table(card: Block) -> CardTable:
    """McNemar's and DeLong's test of each training seed."""
    rows: list[tuple[str, ...]] = []
    for pair in differences(card):
        for number, seed in enumerate(pair["by_seed"], start=1):
            mcnemar = tuple(_mcnemar(seed[name]) for name in ("accuracy", "sensitivity", "specificity"))
            rows.append((_upper(pair_name(card, pair)), str(number), *mcnemar, _delong(seed["auc"], pair)))
    heading = ("Difference", "Seed", "Accuracy: McNemar", "Sensitivity: McNemar", "Specificity: McNemar", "AUC: DeLong")
    return CardTable(heading, rows)


def _mcnemar(test: Block) -> str:
    which = "mid-p" if "p_exact" in test else "p"
    return f"{which} {p_text(test['p'])} (right alone: first {test['b']}, second {test['c']})"


def _delong(test: Block, pair: Block) -> str:
    n_cases = counted(pair["n"], "case")
    if test["difference"] is None:
        return f"not defined ({n_cases})"
    if test["low"] is None or test["high"] is None:
        return f"{test['difference']:+.2f} (no interval: {test.get('missing') or n_cases})"
    return f"{test['difference']:+.2f} ({test['low']:+.2f} to {test['high']:+.2f}; {n_cases}), p {p_text(test['p'])}"


def repeatability_table(metrics: Block) -> CardTable | None:
    """How far the images of one case lie apart; None in an older card."""
    found = metrics.get("repeatability")
    if not found:
        return None
    names = {
        "spread": "Highest minus lowest probability of a case, mean",
        "within_case_sd": "Standard deviation of one image within its case",
        "both_sides": "Cases called both ways",
    }
    rows = [(title, *(figure_text(found[network], name) for network in NETWORKS)) for name, title in names.items()]
    return CardTable(("Figure", *NETWORKS.values()), rows)


def flips_table(metrics: Block) -> CardTable:
    """Cases whose images were called both ways, widest first."""
    rows = [
        (title, str(flip["case_id"]), _end(flip, "low"), _end(flip, "high"))
        for network, title in NETWORKS.items()
        for flip in metrics["repeatability"][network]["flips"]
    ]
    return CardTable(("Network", "Case", "Lowest", "Highest"), rows)


def evidence_table(metrics: Block) -> CardTable | None:
    """Where the maps' evidence lies, before and after the fourth channel; None in an older card."""
    found = metrics.get("evidence")
    if not found:
        return None
    rows = []
    for side, mask in (("expert", "annotated mask"), ("model", "model's mask")):
        for label, title in (("hsil", "HSIL"), ("normal", "normal")):
            block = found[side][label]
            what = f"Evidence for {title} inside the {mask}"
            difference = signed_text(Estimate(**block["energy_difference"]))
            rows.append(
                (what, *(figure_text(block, f"energy_{network}") for network in NETWORKS), difference,
                 figure_text(block, "area"))
            )  # fmt: skip
            difference = signed_text(Estimate(**block["hits_difference"]))
            rows.append(
                (f"Highest place for {title} in the {mask}", *(figure_text(block, f"hits_{one}") for one in NETWORKS),
                 difference, figure_text(block, "hits_by_chance") if "hits_by_chance" in block else "not known")
            )  # fmt: skip
    return CardTable(("Figure", *NETWORKS.values(), "Difference", "By chance"), rows)


def forgetting_table(metrics: Block) -> CardTable | None:
    """How alike the maps stay when the networks forget what they learned; None in an older card."""
    found = metrics.get("forgetting")
    if not found:
        return None
    rows = [
        (title, line["layers"], _alike(line)) for network, title in NETWORKS.items() for line in found.get(network, ())
    ]
    heading = ("Network", "Drawn anew from the top down to", "Rank correlation of the maps (lowest to highest image)")
    return CardTable(heading, rows)


def _alike(line: Block) -> str:
    if line["similarity"] is None:
        return "not defined"
    lowest, highest = line["lowest"], line["highest"]
    return f"{line['similarity']:+.2f} ({lowest:+.2f} to {highest:+.2f}; {counted(line['n_images'], 'image')})"


def _end(flip: Block, which: str) -> str:
    image_id = flip[f"{which}_image_id"]
    named = "" if image_id is None else f" (image {image_id})"
    return f"{flip[f'{which}_prob']:.2f}{named}"


def against_table(against: Block) -> CardTable:
    """This model against the clinic's current one on the same test images.

    Args:
        against: `against_current` of a card's figures.
    """
    pair = against["calls"]
    rows = []
    for name, title in (COMPARED | {"brier": "Brier score"}).items():
        first, second = (estimate(pair[which], name).text() for which in ("first", "second"))
        rows.append((title, first, second, signed_text(estimate(pair, name))))
    rows.append(("Dice of the mask", "", "", signed_text(Estimate(**against["dice"]))))
    return CardTable(("Figure", "Current model", "This model", "Difference"), rows)


def trained_on_table(card: Block) -> CardTable:
    """Patients, labels and masks on each side of the snapshot."""
    counts = card["trained_on"]
    rows = [
        (
            side.value,
            str(counts["patients"][side]),
            str(counts["case_labels"][side]["normal"]),
            str(counts["case_labels"][side]["hsil"]),
            str(counts["masks"][side]),
        )
        for side in Split
    ]
    return CardTable(("Side", "Patients", "Cases normal", "Cases HSIL", "Masks"), rows)


def settings_table(card: Block) -> CardTable:
    """What it is and how it learned, and what the machine chose where the settings leave the choice to it."""
    values = {**card["architecture"], **card["settings"]}
    # Cards of older versions do not say on how many threads, or nothing of it at all.
    values |= {f"computed with: {name}": value for name, value in card.get("computed_on", {}).items()}
    return CardTable(
        ("Setting", "Value"), [(str(name).replace("_", " "), str(value)) for name, value in values.items()]
    )


def ceiling_table(found: Ceiling) -> CardTable:
    """The model beside the annotators."""
    shared, everywhere = str(found.n_images_shared), str(found.n_images_all)
    rows = [
        ("The model, against the test masks", found.model_dice.text(), found.model_kappa.text(), shared),
        ("Annotators, against each other", found.annotators_dice.text(), found.annotators_kappa.text(), shared),
        (
            "Annotators, on all images that two have marked",
            found.all_annotators_dice.text(),
            found.all_annotators_kappa.text(),
            everywhere,
        ),
    ]
    return CardTable(("Whose masks", "Dice", "Cohen's kappa", "Images"), rows)


def _images(block: Block, name: str) -> str:
    return str(block[name]["n_images"]) if block.get(name) else ""


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
