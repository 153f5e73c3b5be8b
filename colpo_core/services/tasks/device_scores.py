"""Whether what a model says goes with the device, among test patients of one label."""

from collections.abc import Mapping
from statistics import fmean, median
from typing import Any

from sqlalchemy import select

from colpo_core.datasets.manifest import Manifest
from colpo_core.evaluation.score_by_group import group_p
from colpo_core.records.statistics.figures import p_text
from colpo_core.store import Store
from colpo_core.store.tables import Case
from colpo_core.terms import Split

_DOUBTED_AT = 0.01


def follows_device(store: Store, manifest: Manifest, card: Mapping[str, Any]) -> tuple[str, ...]:
    """A doubt where the probabilities of a card differ by device within one label."""
    tested = {item.case_id for item in manifest.of(Split.TEST)}
    rows = [row for row in card.get("metrics", {}).get("predictions", ()) if row["case_id"] in tested]
    with store.reading() as session:
        recorded = session.execute(select(Case.id, Case.device)).all()
    devices = {row.id: row.device for row in recorded}
    together: dict[tuple[int, str, str], list[float]] = {}
    for row in rows:
        device = " ".join((devices.get(row["case_id"]) or "").split())
        if device:
            together.setdefault((row["patient_id"], row["label"], device), []).append(row["prob_hsil_4ch"])
    keys = sorted(together)
    means = [fmean(together[key]) for key in keys]
    p = group_p(means, [label for _, label, _ in keys], [device.casefold() for *_, device in keys])
    if p is None or p > _DOUBTED_AT:
        return ()
    shown = []
    for label in sorted({label for _, label, _ in keys}):
        by_device: dict[str, list[float]] = {}
        for (_, label_of_mean, device), mean in zip(keys, means, strict=True):
            if label_of_mean == label:
                by_device.setdefault(device, []).append(mean)
        values = ", ".join(f"{median(scores):.2f} with {device}" for device, scores in sorted(by_device.items()))
        shown.append(f"{label}: {values}")
    return (
        "Among test patients with the same label its probability of HSIL differs by device (medians: "
        f"{'; '.join(shown)}; p {p_text(p)}): it may judge the device, not the cervix.",
    )
