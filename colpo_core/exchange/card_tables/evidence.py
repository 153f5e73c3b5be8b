"""Tables of where the evidence of the maps lies, and of whether the maps show what was learned."""

from colpo_core.exchange.tables import TextTable
from colpo_core.records.models.cards import NETWORKS, Block, counted, estimate, figure_text
from colpo_core.records.statistics.figures import Estimate

_LABELS = (("hsil", "HSIL"), ("normal", "normal"))


def evidence_table(metrics: Block) -> TextTable | None:
    """Where the maps' evidence lies, before and after the fourth channel; None in an older card."""
    evidence = metrics.get("evidence")
    if not evidence:
        return None
    rows = []
    for side, mask in (("expert", "annotated mask"), ("model", "model's mask")):
        for label, title in _LABELS:
            block = evidence[side][label]
            rows += [
                _evidence_row(f"Evidence for {title} inside the {mask}", block, "energy", "area"),
                _evidence_row(f"Highest place for {title} in the {mask}", block, "hits", "hits_by_chance"),
            ]
    return TextTable(("Figure", *NETWORKS.values(), "Difference", "By chance"), rows)


def _evidence_row(title: str, block: Block, figure: str, chance: str) -> tuple[str, ...]:
    networks = (figure_text(block, f"{figure}_{network}") for network in NETWORKS)
    difference = estimate(block, f"{figure}_difference").text(is_signed=True)
    return (title, *networks, difference, figure_text(block, chance))


def places_table(metrics: Block) -> TextTable | None:
    """Evidence in the lesion beyond its area, in the black bars and in the image's rim; None in an older card.

    Args:
        metrics: Those of a side.
    """
    if not all(metrics.get(network, {}).get("evidence") for network in NETWORKS):
        return None
    blocks = [metrics[network]["evidence"] for network in NETWORKS]
    excess = (estimate(block, "lesion_excess").text(is_signed=True) for block in blocks)
    rows: list[tuple[str, ...]] = [("Evidence for HSIL in the lesion, beyond its area", *excess, "0")]
    for region, name in (("padding", "in the black bars"), ("rim", "in the image's rim")):
        area = estimate(blocks[0], f"{region}_area").value
        rows += [
            (
                f"Evidence for {title} {name}",
                *(_share_text(estimate(block[region], label)) for block in blocks),
                "" if area is None else f"area {area:.1%}",
            )
            for label, title in _LABELS
        ]
    return TextTable(("Figure", *NETWORKS.values(), "By chance"), rows)


def _share_text(share: Estimate) -> str:
    images = counted(share.n_images, "image")
    if share.value is None:
        return f"not defined ({images})"
    patients = f"{images} of {counted(share.n_patients, 'patient')}"
    if share.bounds is None:
        return f"{share.value:.1%} (no interval: {share.missing or patients})"
    return f"{share.value:.1%} ({100 * share.bounds[0]:.1f} to {100 * share.bounds[1]:.1f}; {patients})"


def forgetting_table(metrics: Block) -> TextTable | None:
    """How alike the maps stay when the networks' weights are drawn anew; None in an older card."""
    forgetting = metrics.get("forgetting")
    if not forgetting:
        return None
    rows = [
        (title, line["layers"], _similarity_text(line))
        for network, title in NETWORKS.items()
        for line in forgetting.get(network, ())
    ]
    heading = ("Network", "Drawn anew from the top down to", "Rank correlation of the maps (lowest to highest image)")
    return TextTable(heading, rows)


def _similarity_text(line: Block) -> str:
    if line["similarity"] is None:
        return "not defined"
    images = counted(line["n_images"], "image")
    return f"{line['similarity']:+.2f} ({line['lowest']:+.2f} to {line['highest']:+.2f}; {images})"
