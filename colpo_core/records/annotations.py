"""Records of annotations: masks in the making, their versions, and biopsy points."""

from dataclasses import dataclass
from datetime import datetime

from colpo_core.records.images import ImageRecord
from colpo_core.terms import AnnotationState, Finding, MaskOrigin


@dataclass(frozen=True)
class OpenAnnotation:
    """One annotator's mask of one finding on one image, as it stands now.

    Attributes:
        document_id: Names the mask in the making; only its annotator may open it.
        annotation_id: Row of the annotation, or None while nothing was painted yet.
        image: The image that it lies on.
        finding: What it shows.
        seq: Counts the saves; a save names the one it was painted upon.
        rle: The mask's run-length code (see `colpo_core.images.masks`).
        state: How far it is.
        version_number: Newest submitted version, or None.
        changed: Whether the mask differs from the newest version (or, without one, was painted at all).
        saved_at: When it was saved last, or None.
    """

    document_id: str
    annotation_id: int | None
    image: ImageRecord
    finding: Finding
    seq: int
    rle: bytes
    state: AnnotationState
    version_number: int | None
    changed: bool
    saved_at: datetime | None


@dataclass(frozen=True)
class SavedDraft:
    """What a save left behind: the sequence that the next one has to name."""

    seq: int
    saved_at: datetime


@dataclass(frozen=True)
class VersionRecord:
    """One submitted, immutable version of an annotation.

    Attributes:
        version_id: Row of the version.
        annotation_id: Row of its annotation.
        image_id: Row of the image.
        finding: What it shows.
        number: From 1, within the annotation.
        author: Display name of who made it.
        origin: How the mask came to be.
        state: State of the annotation.
        note: What the author wrote beside it.
        area_px: How many pixels the mask covers.
        area_share: The same as a share of the image, 0 to 1.
        created_at: When it was submitted.
    """

    version_id: int
    annotation_id: int
    image_id: int
    finding: Finding
    number: int
    author: str
    origin: MaskOrigin
    state: AnnotationState
    note: str
    area_px: int
    area_share: float
    created_at: datetime


@dataclass(frozen=True)
class ConfirmationPage:
    """A page of masks that wait for confirmation.

    Attributes:
        versions: The masks, oldest first.
        total: How many wait in all.
        next_after: What to pass as `after` for the next page, or None on the last.
    """

    versions: tuple[VersionRecord, ...]
    total: int
    next_after: int | None


@dataclass(frozen=True)
class BiopsyPointRecord:
    """Where a biopsy was taken or is proposed: (x, y) in pixels of the image, origin top left."""

    position: int
    x_px: float
    y_px: float


@dataclass(frozen=True)
class StripImage:
    """One image of a case as the strip beside the editor shows it.

    Attributes:
        image: The image.
        mine: How far my own mask of the finding is, or None.
        to_confirm: Whether a mask on it waits for confirmation.
    """

    image: ImageRecord
    mine: AnnotationState | None
    to_confirm: bool


@dataclass(frozen=True)
class AnnotationDesk:
    """All that the annotation page shows of one image.

    Attributes:
        patient_code: Pseudonymous code of the patient.
        annotation: My own mask.
        strip: All images of the case, by stage.
        versions: My submitted versions, newest first.
        others: Newest submitted version of everybody else's masks of this finding.
        to_confirm: Masks of this image that wait for confirmation.
        biopsy_points: My biopsy points, in order.
        next_image_id: The next image that needs my mask, or None.
        n_to_confirm: How many masks wait for confirmation in the whole store.
        next_to_confirm_id: The image of the next of them that is on another image, or None.
        layers: My own mask of every finding on this image, in the order of `Finding`.
    """

    patient_code: str
    annotation: OpenAnnotation
    strip: tuple[StripImage, ...]
    versions: tuple[VersionRecord, ...]
    others: tuple[VersionRecord, ...]
    to_confirm: tuple[VersionRecord, ...]
    biopsy_points: tuple[BiopsyPointRecord, ...]
    next_image_id: int | None
    n_to_confirm: int
    next_to_confirm_id: int | None
    layers: tuple[OpenAnnotation, ...]
