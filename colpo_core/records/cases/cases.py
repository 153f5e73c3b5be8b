"""Records of cases: what the clinic enters, what comes in as files, and what a list shows."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path

from colpo_core.errors import ImageRejected
from colpo_core.records.cases.images import AskedImage, ImageRecord
from colpo_core.records.models.marks import Mark
from colpo_core.terms import (
    AnnotationState,
    Colposcopy,
    Finding,
    Grade,
    HivStatus,
    ImageQuestion,
    Label,
    LabelSource,
    MenopausalState,
    SpecimenKind,
    Stage,
)

MAX_FILE_BYTES = 400_000_000
CYTOLOGIES = ("NILM", "ASC-US", "LSIL", "ASC-H", "HSIL", "AGC", "SCC")
SWEDE_ROWS = ("aceto_uptake", "margins", "vessels", "lesion_size", "iodine")


@dataclass(frozen=True)
class IncomingFile:
    """One file on its way in: either its bytes or where they lie.

    Attributes:
        name: What the person calls it; told back in the report, never stored.
        content: The bytes, when they are in memory already.
        path: Where to read them otherwise, so that a batch is never in memory as a whole.
        stage: When the image was taken; None where nobody has said.
        seconds_after_acid: Seconds after acetic acid, where known.
    """

    name: str
    content: bytes | None = None
    path: Path | None = None
    stage: Stage | None = None
    seconds_after_acid: int | None = None

    def __post_init__(self) -> None:
        """Check that there is exactly one place to read from.

        Raises:
            ValueError: There is none, or there are two.
        """
        if (self.content is None) == (self.path is None):
            raise ValueError("an incoming file has either content or a path")

    def read(self) -> bytes:
        """The bytes.

        Raises:
            ImageRejected: The file is gone, cannot be read, is empty or is far too large.
        """
        content = self._content()
        if not content:
            raise ImageRejected("The file is empty. Copy it again from the device.")
        if len(content) > MAX_FILE_BYTES:
            raise ImageRejected("The file is larger than 400 MB. Export the image in a smaller format.")
        return content

    def _content(self) -> bytes:
        if self.path is None:
            return self.content or b""
        try:
            if self.path.stat().st_size > MAX_FILE_BYTES:
                raise ImageRejected("The file is larger than 400 MB. Export the image in a smaller format.")
            return self.path.read_bytes()
        except OSError as error:
            raise ImageRejected("The file cannot be read. Check that it is there and that you may read it.") from error


class ImportStatus(StrEnum):
    """What became of one file."""

    IMPORTED = "imported"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


class StageGuess(StrEnum):
    """Where the stage of an image comes from that nobody gave."""

    BY_NAME = "by name"
    BY_DEFAULT = "by default"


@dataclass(frozen=True)
class ImportOutcome:
    """What became of one file, and why.

    Attributes:
        name: The person's name for the file.
        status: Imported, already there, or refused.
        reason: A sentence; empty for an imported file.
        image_id: Row of the image, where there is one.
        case_id: Row of the case that holds it, where there is one.
        notes: What is to be known of an image that was imported, or of one that is there already; sentences.
        copies: Cases of other patients that hold this image or a near copy of it.
        contradicts: Those of them whose histology contradicts that of this image's case.
        stage: The stage under which an imported image was filed.
        stage_guess: Where that comes from, if nobody gave it.
        questions: What is asked about an imported image.
        is_new_patient: Whether the patient was made for it.
        is_new_case: Whether the case was.
    """

    name: str
    status: ImportStatus
    reason: str = ""
    image_id: int | None = None
    case_id: int | None = None
    notes: tuple[str, ...] = ()
    copies: tuple[int, ...] = ()
    contradicts: tuple[int, ...] = ()
    stage: Stage | None = None
    stage_guess: StageGuess | None = None
    questions: tuple[ImageQuestion, ...] = ()
    is_new_patient: bool = False
    is_new_case: bool = False


@dataclass(frozen=True)
class ImportReport:
    """What became of each file of a batch, in the order it came.

    Attributes:
        outcomes: One a file.
        annotations: Annotations that came with the images and were stored by this run.
        annotations_to_confirm: How many of those wait for a person, because a guess closed their outline.
        patients: Patients of whom this run stored at least one image.
        not_compared: Images of an older version with which nothing could be compared yet.
        passed_over: Names of files in a folder that are no images, such as a README.
        notes: What a person should know of how a table was read, in sentences.
    """

    outcomes: tuple[ImportOutcome, ...]
    annotations: int = 0
    annotations_to_confirm: int = 0
    patients: int = 0
    not_compared: int = 0

    @property
    def new_patients(self) -> int:
        """Patients who were made."""
        return sum(outcome.is_new_patient for outcome in self.outcomes)

    @property
    def new_cases(self) -> int:
        """Cases that were made."""
        return sum(outcome.is_new_case for outcome in self.outcomes)

    @property
    def copies(self) -> tuple[ImportOutcome, ...]:
        """Files that are, or are near copies of, an image of another patient."""
        return tuple(outcome for outcome in self.outcomes if outcome.copies)

    @property
    def asked(self) -> tuple[AskedImage, ...]:
        """Images that were imported and about which something is asked."""
        return tuple(
            AskedImage(outcome.image_id, outcome.case_id, outcome.stage, outcome.questions)
            for outcome in self.outcomes
            if outcome.questions
            and outcome.image_id is not None
            and outcome.case_id is not None
            and outcome.stage is not None
        )

    def guessed(self, where_from: StageGuess) -> int:
        """How many images were filed under a stage that nobody gave."""
        return sum(outcome.stage_guess is where_from for outcome in self.outcomes)

    passed_over: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def count(self, status: ImportStatus) -> int:
        """How many files have a status."""
        return sum(outcome.status is status for outcome in self.outcomes)

    @property
    def imported(self) -> int:
        """Files that were stored."""
        return self.count(ImportStatus.IMPORTED)

    @property
    def duplicates(self) -> int:
        """Files whose image was there already."""
        return self.count(ImportStatus.DUPLICATE)

    @property
    def refused(self) -> int:
        """Files that were not taken."""
        return self.count(ImportStatus.REFUSED)

    @property
    def case_ids(self) -> tuple[int, ...]:
        """Cases in which this run stored an image, in order."""
        stored = (outcome.case_id for outcome in self.outcomes if outcome.status is ImportStatus.IMPORTED)
        return tuple(sorted({case_id for case_id in stored if case_id is not None}))


@dataclass(frozen=True)
class SwedeRows:
    """The five rows of a Swede score, each 0, 1, 2 or unknown.

    Source: Strander et al. 2005.
    """

    aceto_uptake: int | None = None
    margins: int | None = None
    vessels: int | None = None
    lesion_size: int | None = None
    iodine: int | None = None

    @property
    def values(self) -> tuple[int | None, ...]:
        """The rows in the form's order."""
        return (self.aceto_uptake, self.margins, self.vessels, self.lesion_size, self.iodine)

    @property
    def total(self) -> int | None:
        """Their sum from 0 to 10, or None while a row is missing: an incomplete score is no number out of 10."""
        known = [value for value in self.values if value is not None]
        return sum(known) if len(known) == len(SWEDE_ROWS) else None

    @property
    def is_empty(self) -> bool:
        """Whether no row is known."""
        return all(value is None for value in self.values)


@dataclass(frozen=True)
class CaseForm:
    """What a clinician enters of a case; every field is optional and none identifies the patient.

    Attributes:
        colposcopy: What the examination found as a whole.
        age_years: Age from 10 to 110.
        hpv_result: Result and types, free text.
        cytology: Bethesda category, one of `CYTOLOGIES`.
        indication: Why she was examined.
        device: The colposcope.
        earlier_treatment: Of the cervix, such as LEEP and its year.
        menopausal_state: Before or after the menopause.
        hiv_status: Result of an HIV test.
        pregnant: Whether she was pregnant at the examination.
        hpv_vaccinated: Whether she is vaccinated against HPV.
        swede: Rows of the Swede score.
    """

    colposcopy: Colposcopy = Colposcopy.NOT_RECORDED
    age_years: int | None = None
    hpv_result: str | None = None
    cytology: str | None = None
    indication: str | None = None
    device: str | None = None
    earlier_treatment: str | None = None
    menopausal_state: MenopausalState | None = None
    hiv_status: HivStatus | None = None
    pregnant: bool | None = None
    hpv_vaccinated: bool | None = None
    swede: SwedeRows = field(default_factory=SwedeRows)


@dataclass(frozen=True)
class LabelRecord:
    """A case's label from one source, or its exclusion, with the reason."""

    source: LabelSource
    label: Label | None
    grade: Grade | None
    reason: str
    flagged: bool
    rules_version: str
    decided_at: datetime


@dataclass(frozen=True)
class SpecimenSite:
    """Where a specimen was taken: a point on one image of its case, in pixels, origin top left."""

    image_id: int
    x_px: float
    y_px: float


@dataclass(frozen=True)
class SpecimenRecord:
    """A pathologist's result for one specimen; a withdrawn one stays visible and counts no more."""

    id: int
    number: int
    kind: SpecimenKind
    grade: Grade
    clock_hour: int | None
    note: str
    entered_by: str
    created_at: datetime
    withdrawn_at: datetime | None
    site: SpecimenSite | None = None


@dataclass(frozen=True)
class ImageAnnotation:
    """One annotation of an image, as a case shows it."""

    annotation_id: int
    finding: Finding
    state: AnnotationState
    annotator: str
    version_id: int | None


@dataclass(frozen=True)
class CaseImage:
    """One image of a case with what exists of it.

    Attributes:
        image: The image.
        annotations: Its annotations.
        prediction_id: Prediction of the clinic's current model, if any.
        prob_hsil: That prediction's probability of HSIL (4 channels), if any and not kept back from who asks.
    """

    image: ImageRecord
    annotations: tuple[ImageAnnotation, ...]
    prediction_id: int | None = None
    prob_hsil: float | None = None


@dataclass(frozen=True)
class CaseRecord:
    """One case as its page shows it.

    Attributes:
        id: Row of the case.
        patient_id: Row of the patient.
        patient_code: Pseudonymous code.
        case_date: Day of the examination, unknown for some imported collections.
        form: What was entered.
        swede_total: Total from 0 to 10: the sum of the rows, or what an imported collection gave; None if incomplete.
        version: Number of the row's version: a change names the one it started from.
        simulated: Whether the program drew it.
        created_at: When it came in.
        images: Its images.
        specimens: Its histology, withdrawn specimens included.
        labels: One a source.
        model_marks: What to mind of the model whose probabilities stand beside the images.
    """

    id: int
    patient_id: int
    patient_code: str
    case_date: date | None
    form: CaseForm
    swede_total: int | None
    version: int
    simulated: bool
    created_at: datetime
    images: tuple[CaseImage, ...]
    specimens: tuple[SpecimenRecord, ...]
    labels: tuple[LabelRecord, ...]
    model_marks: tuple[Mark, ...] = ()

    def label(self, source: LabelSource = LabelSource.HISTOLOGY) -> LabelRecord | None:
        """The label from one source, if it was decided."""
        return next((label for label in self.labels if label.source is source), None)
