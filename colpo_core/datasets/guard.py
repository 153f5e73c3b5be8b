"""The guard against leakage: no patient and no image on two sides of a split.

Source: Kim et al. 2022 augmented before they split, so copies of one photograph stood on both sides; this is where the
program refuses that.
"""

from collections.abc import Callable

from colpo_core.datasets.manifest import Manifest, ManifestItem
from colpo_core.errors import LeakageFound
from colpo_core.terms import Split

SHOWN = 5


def check_leakage(manifest: Manifest) -> None:
    """Refuse a manifest in which one patient, case or image file stands on two sides.

    Raises:
        LeakageFound: It does; the message names who stands where, and how many more there are.
    """
    found = [
        *_on_two_sides(manifest, "patient", lambda item: str(item.patient_id)),
        *_on_two_sides(manifest, "case", lambda item: str(item.case_id)),
        *_same_file(manifest),
    ]
    if not found:
        return
    more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    raise LeakageFound(
        f"The split leaks, so its figures would flatter the model: {'; '.join(found[:SHOWN])}{more}. "
        "Put each patient on one side, mark one of two equal images as not to be used, and freeze the snapshot again."
    )


def _on_two_sides(manifest: Manifest, name: str, key: Callable[[ManifestItem], str]) -> list[str]:
    sides: dict[str, set[Split]] = {}
    for item in manifest.items:
        sides.setdefault(key(item), set()).add(item.split)
    return [
        f"{name} {which} stands in {' and in '.join(split for split in Split if split in found)}"
        for which, found in sides.items()
        if len(found) > 1
    ]


def _same_file(manifest: Manifest) -> list[str]:
    """Pairs of images that are the same file on two sides; the same file under another patient leaks as well."""
    first: dict[str, ManifestItem] = {}
    found = []
    for item in manifest.items:
        other = first.setdefault(item.image_sha256, item)
        if other.split is not item.split:
            found.append(
                f"image {other.image_id} in {other.split} is the same file as image {item.image_id} in {item.split}"
            )
    return found
