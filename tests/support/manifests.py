"""A snapshot's items and its manifest, of which a test says only what matters to it."""

from dataclasses import replace

from colpo_core.datasets.manifest import LeftOut, Manifest, ManifestItem
from colpo_core.terms import Grade, Label, LabelSource, MaskOrigin, Split


def item(image_id: int, patient_id: int | None = None, split: Split = Split.TRAIN, **changes: object) -> ManifestItem:
    """An image of HSIL with a painted mask, the only one of its case and patient unless `changes` say otherwise."""
    patient_id = patient_id or image_id
    plain = ManifestItem(
        image_sha256=f"{image_id:064x}",
        image_id=image_id,
        case_id=patient_id,
        patient_id=patient_id,
        split=split,
        width_px=640,
        height_px=480,
        label=Label.HSIL,
        grade=Grade.CIN2,
        mask_sha256=f"{image_id + 1000:064x}",
        mask_origin=MaskOrigin.PAINTED,
        simulated=False,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def without_mask(item: ManifestItem) -> ManifestItem:
    return replace(item, mask_sha256=None, mask_origin=None)


def manifest(*items: ManifestItem, left_out: tuple[LeftOut, ...] = ()) -> Manifest:
    return Manifest(items, left_out, LabelSource.HISTOLOGY, "kim-2022.1", 0, (0.7, 0.15, 0.15))
