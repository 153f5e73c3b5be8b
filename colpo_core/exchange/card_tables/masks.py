"""Tables of how well the segmenter's masks agree with the annotated ones."""

from colpo_core.exchange.tables import TextTable
from colpo_core.records.agreement import HumanCeiling
from colpo_core.records.models.cards import SEGMENTATION, Block, estimate_or_none, figure_text

_BLIND = {"mean_mask": "Mean training mask, no image looked at", "disc": "Disc in the middle, no image looked at"}


def segmentation_table(block: Block) -> TextTable:
    """Means over images with their intervals, and beside them those of masks that look at no image.

    Images without acetowhite epithelium have a table of their own.
    """
    blind = block.get("blind") or {}
    rows = [
        (title, figure_text(block, name), *(figure_text(blind.get(mask, {}), name) for mask in _BLIND),
         _n_images(block, name))
        for name, title in SEGMENTATION.items()
    ]  # fmt: skip
    return TextTable(("Mean over images", "Value (95% interval by patients)", *_BLIND.values(), "Images"), rows)


def blind_table(block: Block) -> TextTable:
    """How much better the masks are than masks that look at no image, paired by image."""
    blind = block.get("blind") or {}
    rows = [
        (f"{title} minus that of the {name}", _difference(blind.get(mask, {}), figure))
        for mask, name in (("mean_mask", "mean training mask"), ("disc", "disc in the middle"))
        for figure, title in (("iou_difference", "IoU"), ("dice_difference", "Dice"))
    ]
    return TextTable(("Against masks that look at no image", "Difference (95% interval by patients)"), rows)


def _difference(block: Block, name: str) -> str:
    difference = estimate_or_none(block, name)
    return "not known" if difference is None else difference.text(is_signed=True)


def without_lesion_table(block: Block) -> TextTable:
    """What the segmenter did on images in which nobody marked acetowhite epithelium."""
    area = ((block.get("blind") or {}).get("mean_mask") or {}).get("area")
    rows = [
        (
            "Share of the image marked, where a person confirmed that nothing is acetowhite",
            figure_text(block, "lesion_free_area"),
            _n_images(block, "lesion_free_area"),
        ),
        (
            "Share of the image marked, all images with an empty mask",
            figure_text(block, "false_area"),
            _n_images(block, "false_area"),
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
    return TextTable(("Images without acetowhite epithelium", "Value (95% interval)", "Images"), rows)


def ceiling_table(ceiling: HumanCeiling) -> TextTable:
    """The model beside the annotators."""
    rows = [
        (name, dice.text(), kappa.text(), str(n_images))
        for name, dice, kappa, n_images in (
            ("The model, against the test masks", ceiling.model_dice, ceiling.model_kappa, ceiling.n_images_shared),
            (
                "Annotators, against each other",
                ceiling.annotators_dice,
                ceiling.annotators_kappa,
                ceiling.n_images_shared,
            ),
            (
                "Annotators, on all images that two have marked",
                ceiling.all_annotators_dice,
                ceiling.all_annotators_kappa,
                ceiling.n_images_all,
            ),
        )
    ]
    return TextTable(("Whose masks", "Dice", "Cohen's kappa", "Images"), rows)


def _n_images(block: Block, name: str) -> str:
    return str(block[name]["n_images"]) if block.get(name) else ""
