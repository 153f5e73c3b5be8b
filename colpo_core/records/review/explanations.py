"""Where a network's evidence lies beside the masks of one image, and over many images."""

from dataclasses import dataclass
from datetime import datetime

from colpo_core.records.statistics.figures import Estimate, Proportion, ReliabilityBin
from colpo_core.terms import Change, Finding, Grade, Label


@dataclass(frozen=True)
class MapInMask:
    """One map beside one mask.

    Attributes:
        energy: Share of the map's evidence that lies inside the mask, 0 to 1.
        is_hit: Whether the map's highest place lies in the mask, or nearly so.
    """

    energy: float
    is_hit: bool


@dataclass(frozen=True)
class ImageEvidence:
    """The maps of one image beside one mask.

    Attributes:
        area: Share of the image that the mask covers: what a map that prefers no place would have inside of it.
        maps: By the map's name; None where the map holds no evidence at all.
        hit_area: Share of the image's places that count as a hit: how often a place chosen by chance does.
    """

    area: float
    maps: dict[str, MapInMask | None]
    hit_area: float


@dataclass(frozen=True)
class MapPlaces:
    """Where one map's evidence lies, whatever the masks say.

    Attributes:
        padding: Share of the whole map's evidence that lies in the black bars beside the image, 0 to 1.
        rim: Share of the evidence within the image that lies in its outermost 5%; None where all of it is in the bars.
    """

    padding: float
    rim: float | None


@dataclass(frozen=True)
class ImagePlaces:
    """Where the evidence of the maps of one image lies.

    Attributes:
        padding_area: Share of the box that the black bars cover: what a map that prefers no place would have in them.
        rim_area: Share of the image that its outermost 5% covers.
        maps: By the map's name; None where the map holds no evidence at all.
    """

    padding_area: float
    rim_area: float
    maps: dict[str, MapPlaces | None]


@dataclass(frozen=True)
class PlacesFigures:
    """Where one network's evidence lies over many images; a card holds it under `metrics[network]["evidence"]`.

    Attributes:
        lesion_excess: Share of the evidence for HSIL in the annotated lesion, less the share of the image that the
            lesion covers. 0 is what a map has that prefers no place.
        padding: By class (`hsil`, `normal`): share of the evidence in the black bars beside the image, over the images
            that have bars.
        padding_area: Share of the box that the bars cover, over these images.
        rim: By class: share of the evidence within the image that lies in its outermost 5%, over all images.
        rim_area: Share of the image that this rim covers.
    """

    lesion_excess: Estimate
    padding: dict[str, Estimate]
    padding_area: Estimate
    rim: dict[str, Estimate]
    rim_area: Estimate


@dataclass(frozen=True)
class ProposedSite:
    """A place to consider for a biopsy: proposed from where a network's evidence lies, never a recommendation.

    Attributes:
        x_px: In pixels of the image from its left edge.
        y_px: From its top.
        evidence: The map's evidence there, as a share of that at the first site, 0 to 1.
        hour: On the clock face, 1 to 12; None at its centre.
    """

    x_px: float
    y_px: float
    evidence: float
    hour: int | None


@dataclass(frozen=True)
class ClassEvidence:
    """Where the evidence for one class lies, on images in which both networks have some.

    Attributes:
        n_images: Images.
        n_patients: Patients behind them.
        energy_3ch: Mean share of the evidence inside the masks, 3 channels.
        energy_4ch: The same with 4 channels.
        energy_difference: 4 channels minus 3, paired.
        hits_3ch: Images whose highest place lies in the mask, 3 channels.
        hits_4ch: The same with 4 channels.
        hits_difference: 4 channels minus 3, paired.
        hits_by_chance: Mean share of an image's places that count as a hit.
        area: Mean share of the image that the masks cover.
    """

    n_images: int
    n_patients: int
    energy_3ch: Estimate
    energy_4ch: Estimate
    energy_difference: Estimate
    hits_3ch: Proportion
    hits_4ch: Proportion
    hits_difference: Estimate
    hits_by_chance: Estimate
    area: Estimate


@dataclass(frozen=True)
class EvidenceFigures:
    """Whether the evidence lies where the lesion is, before and after the fourth channel.

    Attributes:
        expert: By class (`normal`, `hsil`): in the annotated masks.
        model: By class, on the same images: in the model's own masks.
        n_images: Images with an annotated lesion.
        empty: By the map's name, how many of these images had no evidence in it.
    """

    expert: dict[str, ClassEvidence]
    model: dict[str, ClassEvidence]
    n_images: int
    empty: dict[str, int]


@dataclass(frozen=True)
class Randomised:
    """How alike maps stay when a network forgets what it learned, layer by layer from the top.

    Attributes:
        layers: What was drawn anew, the topmost layers and on to this one.
        similarity: Mean rank correlation of the maps for HSIL with those before, -1 to 1; None where none has evidence.
        n_images: Images behind it.
        lowest: Of the image whose maps are least alike; None likewise.
        highest: Of the one whose maps are most alike.
    """

    layers: str
    similarity: float | None
    n_images: int
    lowest: float | None = None
    highest: float | None = None


@dataclass(frozen=True)
class LikeCase:
    """A labelled case that looks to a network much like the one that is judged.

    Attributes:
        case_id: Row of the case.
        image_id: Which of its images looks most alike.
        patient_code: Code of its patient, who is another one.
        likeness: Cosine of the angle between the features of both images, up to 1.
        label: Its label by histology.
        grade: Its highest grade, where there is one.
        was_learned: Whether the model has learned from its patient, or chosen thresholds on her.
        simulated: Whether the program drew it.
    """

    case_id: int
    image_id: int
    patient_code: str
    likeness: float
    label: Label
    grade: Grade | None
    was_learned: bool
    simulated: bool


@dataclass(frozen=True)
class WhatIfRecord:
    """What a model says of an image once something of it is changed.

    Attributes:
        change: What was changed.
        finding: What the mask shows that was put in or covered; None where the channel was emptied.
        annotator: Whose mask it is; empty where it is the model's own.
        annotator_id: Row of that person, or None.
        prob_hsil_3ch: Probability of HSIL of the 3-channel network then.
        prob_hsil_4ch: That of the 4-channel network.
        created_at: When it was asked.
    """

    change: Change
    finding: Finding | None
    annotator: str
    annotator_id: int | None
    prob_hsil_3ch: float
    prob_hsil_4ch: float
    created_at: datetime


@dataclass(frozen=True)
class CallReasons:
    """What stands behind a call, beside the maps.

    Attributes:
        prediction_id: Row of the prediction.
        band_3ch: Of the model's test images, those of about this probability and how many were HSIL; None where the
            model card has none.
        band_4ch: Likewise of the 4-channel network.
        like: Labelled cases of other patients that look most alike, the nearest first.
        why_no_like: Why there are none, in a sentence; empty where there are some.
        what_ifs: What changes with the mask; empty until somebody has asked.
        job_id: The job that works it out now, or None.
        failure: Why the newest job that was to work it out has failed; empty where it has not.
    """

    prediction_id: int
    band_3ch: ReliabilityBin | None
    band_4ch: ReliabilityBin | None
    like: tuple[LikeCase, ...]
    why_no_like: str
    what_ifs: tuple[WhatIfRecord, ...]
    job_id: int | None
    failure: str
