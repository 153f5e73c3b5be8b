"""The manifest of a snapshot: which images, masks and labels a model is trained and judged on, and on which side."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from colpo_core.errors import SnapshotMismatch
from colpo_core.records.typed_json import canonical_json, read_values, to_values
from colpo_core.terms import Grade, Label, LabelSource, MaskOrigin, MaskPolicy, Split

FORMAT = 3
POLICY_FORMAT = 2
FIRST_FORMAT = 1
LEFT_OUT_KINDS = ("image", "case", "annotation")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ManifestItem:
    """One image of a snapshot; it has a mask, a label, or both.

    Attributes:
        image_sha256: Hash of the clean image file.
        image_id: Row of the image.
        case_id: Row of its case.
        patient_id: Row of its patient; a patient stands on one side only.
        split: The side.
        width_px: Width of the image.
        height_px: Height of the image.
        label: The case's label, or None where the image serves for segmentation only.
        grade: Highest grade of the case's histology, or None where there is none.
        mask_sha256: Hash of the mask of acetowhite epithelium, or None where the image serves for classification only.
        mask_origin: How that mask came to be: one annotator's by its own origin, or majority, staple, adjudicated.
        simulated: Whether the program drew the image.
        confirmed_clear: Whether the mask is empty because a person has confirmed that nothing acetowhite is there (or
            the program drew none), and not because nothing was painted.
    """

    image_sha256: str
    image_id: int
    case_id: int
    patient_id: int
    split: Split
    width_px: int
    height_px: int
    label: Label | None
    grade: Grade | None
    mask_sha256: str | None
    mask_origin: MaskOrigin | None
    simulated: bool
    confirmed_clear: bool = False

    def __post_init__(self) -> None:
        """Check that the item makes sense by itself.

        Raises:
            ValueError: It does not.
        """
        for digest in (self.image_sha256, self.mask_sha256):
            if digest is not None and not _SHA256.fullmatch(digest):
                raise ValueError(f"image {self.image_id}: not a SHA-256 in lower-case hexadecimal: {digest!r}")
        if self.label is None and self.mask_sha256 is None:
            raise ValueError(f"image {self.image_id} has neither a mask nor a label, so it is left out, not an item")
        if (self.mask_sha256 is None) != (self.mask_origin is None):
            raise ValueError(f"image {self.image_id}: a mask and its origin come together")
        if self.confirmed_clear and self.mask_sha256 is None:
            raise ValueError(f"image {self.image_id}: what is confirmed to show nothing has an empty mask")
        if min(self.width_px, self.height_px) < 1:
            raise ValueError(f"image {self.image_id} has no size")


@dataclass(frozen=True)
class LeftOut:
    """Something that a snapshot could have held and does not.

    Attributes:
        what: `image`, `case` or `annotation`.
        id: Row of it.
        reason: Why it is left out, in words that are counted together.
    """

    what: str
    id: int
    reason: str

    def __post_init__(self) -> None:
        """Check the kind.

        Raises:
            ValueError: There is no such kind.
        """
        if self.what not in LEFT_OUT_KINDS:
            raise ValueError(f"left out is one of {LEFT_OUT_KINDS}, not {self.what!r}")


@dataclass(frozen=True)
class Manifest:
    """A frozen list of images with their split; equal content has an equal hash, in whatever order it is given.

    Attributes:
        items: The images, ordered by `image_id`.
        left_out: What could have been there and is not, with the reason.
        label_source: What the labels rest on.
        rules_version: Version of the rules that labelled.
        seed: Seed of the split.
        fractions: Share of patients wished for train, validation and test.
        mask_policy: Which mask of an image counts.
        mask_annotator_id: Row of the person whose masks count, for the policy `annotator` alone.
    """

    items: tuple[ManifestItem, ...]
    left_out: tuple[LeftOut, ...]
    label_source: LabelSource
    rules_version: str
    seed: int
    fractions: tuple[float, float, float]
    mask_policy: MaskPolicy = MaskPolicy.NEWEST
    mask_annotator_id: int | None = None

    def __post_init__(self) -> None:
        """Bring the lists into their one order and check them together.

        Raises:
            ValueError: An image stands twice, a case has two labels or two patients, or the policy lacks its annotator.
        """
        object.__setattr__(self, "items", tuple(sorted(self.items, key=lambda item: item.image_id)))
        object.__setattr__(
            self, "left_out", tuple(sorted(self.left_out, key=lambda gone: (gone.what, gone.id, gone.reason)))
        )
        object.__setattr__(self, "fractions", tuple(float(share) for share in self.fractions))
        if len(self.fractions) != 3:
            raise ValueError("three fractions: train, validation and test")
        if (self.mask_policy is MaskPolicy.ANNOTATOR) != (self.mask_annotator_id is not None):
            raise ValueError("an annotator is named for the mask policy `annotator`, and for no other")
        _check_once("image", (item.image_id for item in self.items))
        _check_one_each("label", ((item.case_id, item.label) for item in self.items if item.label is not None))
        _check_one_each("patient", ((item.case_id, item.patient_id) for item in self.items))

    @property
    def sha256(self) -> str:
        """Hash of the canonical bytes: the snapshot's identity."""
        return hashlib.sha256(self.to_json()).hexdigest()

    @property
    def simulated(self) -> bool:
        """Whether any image was drawn by the program, so that no figure from it is a clinical one."""
        return any(item.simulated for item in self.items)

    def of(self, split: Split) -> tuple[ManifestItem, ...]:
        """The images on one side."""
        return tuple(item for item in self.items if item.split is split)

    def to_json(self) -> bytes:
        """Canonical UTF-8 JSON: sorted keys, no blanks, lists in their one order.

        Format 1 knows no mask policy and means the newest mask; only format 3 knows images that are confirmed to show
        nothing. What an older format can say is still written in it, so that equal content keeps the hash under which
        an older version has frozen it.
        """
        content = {"format": FORMAT, **to_values(self)}
        if not any(item.confirmed_clear for item in self.items):
            content["format"] = POLICY_FORMAT
            if self.mask_policy is MaskPolicy.NEWEST:
                del content["mask_policy"], content["mask_annotator_id"]
                content["format"] = FIRST_FORMAT
        for item in content["items"]:
            if not item["confirmed_clear"]:
                del item["confirmed_clear"]
        return canonical_json(content)

    @classmethod
    def from_json(cls, content: bytes) -> "Manifest":
        """Read what `to_json` wrote.

        Raises:
            SnapshotMismatch: The content is not a manifest of this version.
        """
        try:
            values: dict[str, Any] = json.loads(content)
            written = values.pop("format")
            if written not in (FIRST_FORMAT, POLICY_FORMAT, FORMAT):
                raise SnapshotMismatch(
                    f"The snapshot is written in format {written}, and this version reads formats "
                    f"{FIRST_FORMAT} to {FORMAT}. Freeze a new snapshot with this version."
                )
            if (written == FIRST_FORMAT) == ("mask_policy" in values):
                raise ValueError("a mask policy is named in every format but the first")
            return read_values(cls, values, exact=True)
        except (AttributeError, ValueError, KeyError, TypeError) as error:
            raise SnapshotMismatch(
                "The snapshot's file is damaged or not a snapshot. Freeze the snapshot again, or restore the back-up."
            ) from error

    def counts(self) -> dict[str, Any]:
        """How much there is on each side.

        Returns:
            `images`, `cases`, `patients` and `masks`: total and count by split. `labels` and `case_labels`: by split
            the images, or cases, of each label (and `none`). `masks_by_origin`: total and count by split of the masks
            of each origin that there is. `confirmed_clear`: likewise of the images that are
            confirmed to show no lesion. `left_out`: count by reason. `simulated`: images drawn.
        """
        masked = [item for item in self.items if item.mask_sha256 is not None]
        return {
            "images": _by_split(self.items, lambda item: item.image_id),
            "cases": _by_split(self.items, lambda item: item.case_id),
            "patients": _by_split(self.items, lambda item: item.patient_id),
            "masks": _by_split(masked, lambda item: item.image_id),
            "labels": {str(split): _by_label(self.of(split), lambda item: item.image_id) for split in Split},
            "case_labels": {str(split): _by_label(self.of(split), lambda item: item.case_id) for split in Split},
            "masks_by_origin": _by_origin(masked),
            "confirmed_clear": _by_split((item for item in masked if item.confirmed_clear), lambda item: item.image_id),
            "left_out": dict(sorted(Counter(gone.reason for gone in self.left_out).items())),
            "simulated": sum(item.simulated for item in self.items),
        }


def _by_split(items: Iterable[ManifestItem], key: Callable[[ManifestItem], int]) -> dict[str, int]:
    items = list(items)
    by_split = {str(split): len({key(item) for item in items if item.split is split}) for split in Split}
    return {"total": len({key(item) for item in items}), **by_split}


def _by_origin(masked: Iterable[ManifestItem]) -> dict[str, dict[str, int]]:
    masked = list(masked)
    there = {item.mask_origin for item in masked}
    return {
        str(origin): _by_split((item for item in masked if item.mask_origin is origin), lambda item: item.image_id)
        for origin in MaskOrigin
        if origin in there
    }


def _by_label(items: Iterable[ManifestItem], key: Callable[[ManifestItem], int]) -> dict[str, int]:
    items = list(items)
    labels: tuple[Label | None, ...] = (*Label, None)
    return {
        "none" if label is None else str(label): len({key(item) for item in items if item.label is label})
        for label in labels
    }


def _check_once(name: str, ids: Iterable[int]) -> None:
    twice = sorted(number for number, count in Counter(ids).items() if count > 1)
    if twice:
        raise ValueError(f"{name} {twice[0]} stands twice in the manifest")


def _check_one_each(name: str, pairs: Iterable[tuple[int, object]]) -> None:
    seen: dict[int, object] = {}
    for case_id, value in pairs:
        if seen.setdefault(case_id, value) != value:
            raise ValueError(f"case {case_id} has more than one {name}")
