"""The clinic's words as enums: one place that says which words exist.

The meaning of each word stands in CONTEXT.md. The value of a member is what the store, the manifests and the
command line write, so a value never changes once a release has written it.
"""

from enum import StrEnum


class Role(StrEnum):
    """What a person may do."""

    ADMINISTRATOR = "administrator"
    ANNOTATOR = "annotator"
    READER = "reader"


class Stage(StrEnum):
    """When an image was taken during the examination."""

    NATIVE = "native"
    ACETIC_ACID = "acetic_acid"
    GREEN_FILTER = "green_filter"
    LUGOL = "lugol"


class ImageQuestion(StrEnum):
    """What is asked of a person about an image whose look contradicts how it is filed; nothing is changed unasked."""

    IODINE = "looks_like_iodine"
    GREEN_FILTER = "looks_like_green_filter"
    NO_IODINE = "does_not_look_like_iodine"
    NO_GREEN = "does_not_look_like_green_filter"
    STAGE_GUESSED = "stage_was_guessed"
    GREY = "grey"
    DARK = "dark"
    BRIGHT = "bright"
    BLURRED = "blurred"
    DRAWN = "mask_or_drawing"
    NO_TISSUE = "not_the_colours_of_tissue"
    SMALL = "small"


class Finding(StrEnum):
    """What a mask shows."""

    ACETOWHITE = "acetowhite_epithelium"
    MOSAIC = "mosaic"
    PUNCTATION = "punctation"
    ATYPICAL_VESSELS = "atypical_vessels"
    SQUAMOCOLUMNAR_JUNCTION = "squamocolumnar_junction"
    CERVIX = "cervix_outline"


class SpecimenKind(StrEnum):
    """How the tissue for a histology was taken."""

    PUNCH_BIOPSY = "punch_biopsy"
    LEEP = "leep"


class Grade(StrEnum):
    """A pathologist's grade, listed from the lowest to the highest."""

    NORMAL = "normal"
    CHRONIC_CERVICITIS = "chronic_cervicitis"
    CIN1 = "cin1"
    CIN2 = "cin2"
    CIN3 = "cin3"
    ADENOCARCINOMA_IN_SITU = "adenocarcinoma_in_situ"
    INVASIVE_CARCINOMA = "invasive_carcinoma"

    @property
    def severity(self) -> int:
        """Rank from 0 (normal) to 6 (invasive carcinoma)."""
        return list(Grade).index(self)


class Label(StrEnum):
    """The class that training and reading use; `hsil` is positive."""

    NORMAL = "normal"
    HSIL = "hsil"

    @classmethod
    def called(cls, prob_hsil: float, *, threshold: float) -> "Label":
        """What a probability of HSIL is called: HSIL from its threshold on."""
        return cls.HSIL if prob_hsil >= threshold else cls.NORMAL


class LabelSource(StrEnum):
    """What a snapshot's labels rest on; every figure from it carries this name."""

    HISTOLOGY = "histology"
    IMPRESSION = "impression"


class Colposcopy(StrEnum):
    """What the record says of the colposcopy as a whole."""

    NOT_RECORDED = "not_recorded"
    NORMAL = "normal"
    ABNORMAL = "abnormal"


class MenopausalState(StrEnum):
    """Before or after the menopause."""

    PREMENOPAUSAL = "premenopausal"
    POSTMENOPAUSAL = "postmenopausal"


class HivStatus(StrEnum):
    """Result of an HIV test."""

    NEGATIVE = "negative"
    POSITIVE = "positive"


class MaskOrigin(StrEnum):
    """How a mask came to be; for an imported outline, how the outline was closed; or from whose masks it was made."""

    PAINTED = "painted"
    SIMULATED = "simulated"
    CLOSED = "closed"
    BORDER = "border"
    CHORD = "chord"
    LINKED = "linked"
    EXTENDED = "extended"
    OPEN = "open"
    PARTIAL = "partial"
    MAJORITY = "majority"
    STAPLE = "staple"
    ADJUDICATED = "adjudicated"

    @property
    def is_guess(self) -> bool:
        """Whether a person has to confirm the mask before training may use it."""
        return self in {self.CHORD, self.LINKED, self.EXTENDED, self.OPEN, self.PARTIAL}


class AnnotationState(StrEnum):
    """How far an annotation is."""

    DRAFT = "draft"
    TO_CONFIRM = "to_confirm"
    SUBMITTED = "submitted"
    REJECTED = "rejected"


class MaskDoubt(StrEnum):
    """Why a mask is asked about before it becomes a version."""

    EMPTY = "empty"
    OUTLINE = "outline"
    INVERTED = "inverted"
    LARGE = "large"


class Start(StrEnum):
    """What a mask started from; recorded with each version, so that automation bias can be measured."""

    NOTHING = "nothing"
    OWN_VERSION = "own_version"
    OTHER_VERSION = "other_version"
    OTHER_IMAGE = "other_image"
    PROPOSAL = "proposal"
    COMBINATION = "combination"


class Combination(StrEnum):
    """How several annotators' masks of one finding on one image are made into one."""

    MAJORITY = "majority"
    STAPLE = "staple"
    UNION = "union"
    INTERSECTION = "intersection"


class MaskPolicy(StrEnum):
    """Which mask of an image a snapshot takes."""

    NEWEST = "newest"
    ANNOTATOR = "annotator"
    MAJORITY = "majority"
    STAPLE = "staple"
    ADJUDICATED = "adjudicated"


class AdjudicationMethod(StrEnum):
    """How an adjudicator came to the mask that counts."""

    TAKEN = "taken"
    COMBINED = "combined"
    PAINTED = "painted"


class TaskOrder(StrEnum):
    """In which order a task's images come to a person."""

    DATE = "date"
    RANDOM = "random"
    UNCERTAINTY = "uncertainty"


class TaskItemState(StrEnum):
    """How far one person is with one image of a task."""

    WAITING = "waiting"
    SUBMITTED = "submitted"
    SKIPPED = "skipped"


class Split(StrEnum):
    """On which side of a snapshot an image stands."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


class JobKind(StrEnum):
    """What a background job does."""

    TRAIN = "train"
    PREDICT = "predict"
    EVALUATE = "evaluate"
    EXPLAIN = "explain"
    PROBE = "probe"


class Change(StrEnum):
    """What was changed of an image, to see what its prediction rests on."""

    MASK_EMPTIED = "mask_emptied"
    MASK_OF_EXPERT = "mask_of_expert"
    COVERED = "covered"


class JobState(StrEnum):
    """Where a background job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to the job."""
        return self in {self.DONE, self.FAILED, self.CANCELLED}


class Verdict(StrEnum):
    """A clinician's verdict on a prediction."""

    AGREE = "agree"
    OVERRULE = "overrule"
    UNSURE = "unsure"


class ReviewReason(StrEnum):
    """Why a reviewer does not agree with a prediction."""

    MASK_MISSES = "mask_misses"
    MASK_COVERS = "mask_covers"
    CALL = "call"
    IMAGE_QUALITY = "image_quality"
    OTHER_FINDING = "other_finding"
    NOT_DECIDABLE = "not_decidable"


class Outcome(StrEnum):
    """What a model calls a case against its label; `hsil` is positive."""

    TRUE_POSITIVE = "true_positive"
    FALSE_POSITIVE = "false_positive"
    TRUE_NEGATIVE = "true_negative"
    FALSE_NEGATIVE = "false_negative"


class ReviewState(StrEnum):
    """How far reviewers are with what the current model says of a case; the gravest of their verdicts counts."""

    WAITING = "waiting"
    AGREED = "agreed"
    UNSURE = "unsure"
    OVERRULED = "overruled"


class Arm(StrEnum):
    """Whether a reader sees the model's output while reading."""

    UNAIDED = "unaided"
    AIDED = "aided"


class StudyState(StrEnum):
    """Where a reading study stands."""

    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"


class ExposureKind(StrEnum):
    """What of a case a person has seen, or done to it, that a blinded reader must not know."""

    LABEL = "label"
    HISTOLOGY = "histology"
    PREDICTION = "prediction"
    MASK = "mask"
    ANNOTATED = "annotated"
    READ = "read"


class ExposureRule(StrEnum):
    """What a study does with a case that a reader was exposed to."""

    EXCLUDE = "exclude"
    FLAG = "flag"


class AmendmentKind(StrEnum):
    """What may be changed in a sealed study, with a reason."""

    READER_ADDED = "reader_added"
    READER_REMOVED = "reader_removed"
    CLOSED_EARLY = "closed_early"
    QUESTION_CORRECTED = "question_corrected"
