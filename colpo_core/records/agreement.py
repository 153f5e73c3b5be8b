"""Records of several annotators on one image: how their masks agree, and which mask a senior decided on."""

from dataclasses import dataclass
from datetime import datetime

from colpo_core.records.annotations import VersionRecord
from colpo_core.records.cases.images import ImageRecord
from colpo_core.records.statistics.figures import Estimate
from colpo_core.terms import AdjudicationMethod, Finding


@dataclass(frozen=True)
class PairFigures:
    """How two masks of one image agree; the order of the two does not matter.

    Attributes:
        dice: Dice coefficient, 0 to 1; 1 where both masks are empty, 0 where one is.
        iou: Intersection over union, 0 to 1; likewise.
        hd95_px: 95th-percentile Hausdorff distance in pixels; 0 where both are empty, None where one is.
        kappa: Cohen's kappa over the pixels, -1 to 1; 0 where one is empty, None where both say the same of every
            pixel.
        n_empty: How many of the two masks mark nothing: 0, 1 or 2.
    """

    dice: float
    iou: float
    hd95_px: float | None
    kappa: float | None
    n_empty: int = 0


@dataclass(frozen=True)
class PairAgreement:
    """How two people agree over the images that both have annotated.

    Attributes:
        first_id: Row of the one person.
        first: Display name.
        second_id: Row of the other.
        second: Display name.
        n_images: Images that both have annotated.
        dice: Mean over those where at least one marks something.
        iou: Likewise.
        hd95_px: Mean over those where both mark something.
        kappa: Mean of Cohen's kappa over the pixels, where it is defined; a pair with one empty mask counts 0.
        n_one_empty: Images on which one of them marks something and the other nothing.
        n_both_empty: Images on which neither marks anything.
    """

    first_id: int
    first: str
    second_id: int
    second: str
    n_images: int
    dice: Estimate
    iou: Estimate
    hd95_px: Estimate
    kappa: Estimate
    n_one_empty: int
    n_both_empty: int


@dataclass(frozen=True)
class ImageRow:
    """One image with masks of several annotators; each figure is the mean over its pairs of masks.

    Attributes:
        image_id: Row of the image.
        case_id: Row of its case.
        patient_code: Pseudonymous code of the patient.
        n_masks: How many annotators' masks the actor sees.
        dice_mean: Mean over the pairs; 1 where all masks are empty.
        iou_mean: Likewise.
        hd95_px_mean: Mean over the pairs of which both or neither mark something; None where there is no such pair.
        is_adjudicated: Whether somebody has decided which mask counts.
        may_adjudicate: Whether the actor may.
    """

    image_id: int
    case_id: int
    patient_code: str
    n_masks: int
    dice_mean: float
    iou_mean: float
    hd95_px_mean: float | None
    is_adjudicated: bool
    may_adjudicate: bool


@dataclass(frozen=True)
class AgreementOverview:
    """How annotators agree on a finding, over the images that at least two of them have annotated.

    An image counts once, with the mean of its pairs; intervals come from a bootstrap over patients. A pair of two
    empty masks agrees in something else than an outline: it enters no mean and is counted apart.

    Attributes:
        finding: What the masks show.
        n_images: Images with at least two masks.
        n_patients: Patients behind them.
        dice: Mean Dice coefficient; a pair with one empty mask counts 0.
        iou: Mean intersection over union; likewise.
        hd95_px: Mean 95th-percentile Hausdorff distance in pixels, over pairs of which both mark something.
        hd95_percent: The same in percent of the image's diagonal, so that images of several sizes can be averaged.
        kappa: Mean of Cohen's kappa over the pixels, where it is defined; a pair with one empty mask counts 0.
        n_one_empty: Pairs of which one mask marks nothing; they have no distance.
        n_both_empty: Pairs of which neither marks anything.
        pairs: Each pair of people with images in common, by their names.
        images: Each image, the least alike first.
    """

    finding: Finding
    n_images: int
    n_patients: int
    dice: Estimate
    iou: Estimate
    hd95_px: Estimate
    hd95_percent: Estimate
    kappa: Estimate
    n_one_empty: int
    n_both_empty: int
    pairs: tuple[PairAgreement, ...]
    images: tuple[ImageRow, ...]


@dataclass(frozen=True)
class VersionPair:
    """How the masks of two versions on one image agree.

    Attributes:
        first_id: Row of the one version.
        first: Display name of its author.
        second_id: Row of the other.
        second: Display name of its author.
        figures: How they agree.
        hd95_percent: Their distance in percent of the image's diagonal, or None where it has none.
    """

    first_id: int
    first: str
    second_id: int
    second: str
    figures: PairFigures
    hd95_percent: float | None


@dataclass(frozen=True)
class AdjudicationRecord:
    """A decision which mask of a finding counts on an image.

    Attributes:
        id: Row of the decision; the newest of an image and finding counts.
        image_id: Row of the image.
        patient_code: Pseudonymous code of its patient.
        finding: What the mask shows.
        version_id: The version that counts.
        author: Display name of who made that version.
        method: Whether it was taken as it was, combined from several, or painted.
        sources: The annotators' versions that there were when it was decided.
        decided_by: Display name of who decided.
        note: Why.
        at: When.
        is_current: Whether it was decided on the masks that the annotators have submitted by now.
    """

    id: int
    image_id: int
    patient_code: str
    finding: Finding
    version_id: int
    author: str
    method: AdjudicationMethod
    sources: tuple[int, ...]
    decided_by: str
    note: str
    at: datetime
    is_current: bool


@dataclass(frozen=True)
class ImageAgreement:
    """All masks of a finding on one image that the actor may see, and what was decided on them.

    Attributes:
        image: The image.
        case_id: Row of its case.
        patient_code: Pseudonymous code of the patient.
        finding: What the masks show.
        versions: The newest version of each annotator, oldest first; adjudicated ones are not among them.
        pairs: How each two of them agree.
        n_hidden: How many more masks the actor must not see yet.
        adjudication: The decision that counts, or None.
        may_adjudicate: Whether the actor may decide.
        why_not: Why not, in a sentence; empty where he may.
    """

    image: ImageRecord
    case_id: int
    patient_code: str
    finding: Finding
    versions: tuple[VersionRecord, ...]
    pairs: tuple[VersionPair, ...]
    n_hidden: int
    adjudication: AdjudicationRecord | None
    may_adjudicate: bool
    why_not: str


@dataclass(frozen=True)
class HumanCeiling:
    """A model's masks beside what people reach among themselves: nobody can ask more of it.

    A pair of annotators of whom one marks nothing counts 0; the model is judged on images with annotated acetowhite
    alone. On the shared images both have the very same images.

    Attributes:
        model_dice: Mean Dice of the model on its test images that several people have annotated.
        model_kappa: Mean kappa over pixels likewise.
        annotators_dice: Mean Dice of pairs of annotators on the same images.
        annotators_kappa: Mean kappa likewise.
        all_annotators_dice: Mean Dice of pairs of annotators on all images that several people have annotated.
        all_annotators_kappa: Mean kappa likewise.
        n_images_shared: Test images that several people have annotated.
        n_images_all: Images that several people have annotated.
    """

    model_dice: Estimate
    model_kappa: Estimate
    annotators_dice: Estimate
    annotators_kappa: Estimate
    all_annotators_dice: Estimate
    all_annotators_kappa: Estimate
    n_images_shared: int
    n_images_all: int
