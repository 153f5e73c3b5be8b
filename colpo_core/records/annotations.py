"""Records of annotations: masks in the making, their versions, and biopsy points."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from colpo_core.errors import InputRejected
from colpo_core.records.cases.images import ImageRecord
from colpo_core.terms import AnnotationState, Finding, MaskDoubt, MaskOrigin, Start


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
        start: What it started from since the newest version.
        strokes: How many strokes were saved since the newest version.
        active_ms: Milliseconds of painting since the newest version.
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
    start: Start
    strokes: int
    active_ms: int


@dataclass(frozen=True)
class Correction:
    """What came of opening a model's mask for correction.

    Attributes:
        image_id: The image to open.
        has_started: Whether the actor's mask starts from the model's now; else the actor's own was there and stays.
    """

    image_id: int
    has_started: bool


@dataclass(frozen=True)
class SavedDraft:
    """What a save left behind: the sequence that the next one has to name."""

    seq: int
    saved_at: datetime


@dataclass(frozen=True)
class VersionRecord:
    """One submitted, immutable version of an annotation.

    From `start` to `added_share` it says how the version was made; None where that was not recorded (imported masks,
    and versions of an older store).

    Attributes:
        version_id: Row of the version.
        annotation_id: Row of its annotation.
        image_id: Row of the image.
        finding: What it shows.
        number: From 1, within the annotation.
        author_id: Row of who made it.
        author: Display name of who made it.
        origin: How the mask came to be.
        state: State of the annotation.
        note: What the author wrote beside it.
        area_px: How many pixels the mask covers.
        area_share: The same as a share of the image, 0 to 1.
        created_at: When it was submitted.
        base_number: The version before it, or None for the first.
        start: What the mask started from.
        start_version_id: The version that it started from, where it was one.
        start_prediction_id: The prediction that it started from, where it was one.
        proposal_shown: Whether a proposal of the model was taken up since the version before, even if dropped again.
        strokes: How many strokes were saved since the version before.
        active_ms: Milliseconds of painting since the version before.
        kept_share: Share of the start's pixels that the version still marks, 0 to 1; None where the start marked none.
        added_share: Share of the version's pixels that the start did not mark, 0 to 1; None where it marks none.
        absence_confirmed: Whether the mask is empty because its author has confirmed that the finding is not there.
    """

    version_id: int
    annotation_id: int
    image_id: int
    finding: Finding
    number: int
    author_id: int
    author: str
    origin: MaskOrigin
    state: AnnotationState
    note: str
    area_px: int
    area_share: float
    created_at: datetime
    base_number: int | None
    start: Start | None
    start_version_id: int | None
    start_prediction_id: int | None
    proposal_shown: bool | None
    strokes: int | None
    active_ms: int | None
    kept_share: float | None
    added_share: float | None
    absence_confirmed: bool = False


@dataclass(frozen=True)
class StartSource:
    """What a draft is to start from, in place of what was painted since the newest version.

    Attributes:
        start: From what kind of mask.
        version_id: The version, for one's own or another person's.
        image_id: The image whose mask of one's own is copied, for another image of the case.
        prediction_id: The prediction, for the model's proposal.
    """

    start: Start
    version_id: int | None = None
    image_id: int | None = None
    prediction_id: int | None = None

    def __post_init__(self) -> None:
        """Check that it names what the start needs, and nothing else.

        Raises:
            InputRejected: It does not, or masks are to be combined, which an adjudicator does.
        """
        if self.start is Start.COMBINATION:
            raise InputRejected("Masks of several annotators are combined where the image is adjudicated.")
        given = {name for name in ("version_id", "image_id", "prediction_id") if getattr(self, name) is not None}
        needed = _NEEDED_BY_START.get(self.start, set())
        if given != needed:
            wanted = " and ".join(sorted(needed)) or "nothing else"
            raise InputRejected(f"To start from “{self.start.value}”, name {wanted}.")


_NEEDED_BY_START = {
    Start.OWN_VERSION: {"version_id"},
    Start.OTHER_VERSION: {"version_id"},
    Start.OTHER_IMAGE: {"image_id"},
    Start.PROPOSAL: {"prediction_id"},
}


@dataclass(frozen=True)
class ImageStart:
    """Another image of the case on which I have marked the finding.

    Attributes:
        image: That image.
        area_share: How much of it my mask covers, 0 to 1.
        is_submitted: Whether what would be copied is my newest submitted version there.
    """

    image: ImageRecord
    area_share: float
    is_submitted: bool


@dataclass(frozen=True)
class Proposal:
    """The current model's mask of an image.

    Attributes:
        prediction_id: Row of the prediction.
        checkpoint_name: Name of the current model.
        acetowhite_share: How much of the image it marks, 0 to 1.
        created_at: When it was predicted.
    """

    prediction_id: int
    checkpoint_name: str
    acetowhite_share: float
    created_at: datetime


@dataclass(frozen=True)
class StartOptions:
    """What a mask may start from, beside nothing.

    Attributes:
        own_versions: My versions of this mask, newest first.
        others: Newest version of each mask of others that I may see, the newest first.
        other_images: Images of the case on which I have marked the finding, by stage.
        proposal: The current model's proposal, or None where there is none or it is refused.
        proposals_refused: Why the model may not propose here; empty where it may.
    """

    own_versions: tuple[VersionRecord, ...]
    others: tuple[VersionRecord, ...]
    other_images: tuple[ImageStart, ...]
    proposal: Proposal | None
    proposals_refused: str


@dataclass(frozen=True)
class VersionComparison:
    """Two versions on one image, pixel by pixel.

    Attributes:
        first: The one.
        second: The other.
        dice: Twice the common pixels by the pixels of both, 0 to 1; 1 where both are empty.
        iou: Common pixels by pixels that either marks, 0 to 1; 1 where both are empty.
        hd95_px: 95th percentile of the distances between their outlines, in pixels; None where only one is empty.
        both_px: Pixels that both mark.
        only_first_px: Pixels that the first marks alone.
        only_second_px: Pixels that the second marks alone.
    """

    first: VersionRecord
    second: VersionRecord
    dice: float
    iou: float
    hd95_px: float | None
    both_px: int
    only_first_px: int
    only_second_px: int


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
class UnmarkedImage:
    """An image on which nobody has marked acetowhite epithelium, and nobody has confirmed that there is none.

    Attributes:
        image_id: Row of the image.
        case_id: Row of its case.
        patient_code: Pseudonymous code of the patient.
        seconds_after_acid: When it was taken, or None.
        swede_total: The case's Swede score, where it is known: from 3 on somebody saw something there.
        has_empty_mask: Whether somebody has submitted an empty mask without having been asked what it means.
    """

    image_id: int
    case_id: int
    patient_code: str
    seconds_after_acid: int | None
    swede_total: int | None
    has_empty_mask: bool


@dataclass(frozen=True)
class UnmarkedPage:
    """A page of images that wait for a word on whether anything acetowhite is there.

    Attributes:
        images: The images, by patient and case.
        total: How many wait in all.
        next_after: What to pass as `after` for the next page, or None on the last.
    """

    images: tuple[UnmarkedImage, ...]
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
        is_blind: Whether other people's masks of this finding, imported ones too, are kept from me for now.
        doubts: What the masks that wait for confirmation look like, by the row of the version; without those that
            only wait because their outline was closed by guess.
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
    is_blind: bool
    doubts: Mapping[int, MaskDoubt]
