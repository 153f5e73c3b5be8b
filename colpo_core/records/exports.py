"""A case on one page, for the record."""

from dataclasses import dataclass
from datetime import datetime

from colpo_core.records.cases.cases import CaseRecord
from colpo_core.records.cases.images import ImageRecord
from colpo_core.records.review.explanations import ProposedSite
from colpo_core.records.review.reviews import PredictionRecord, ReviewRecord


@dataclass(frozen=True)
class ReportedImage:
    """One image of the page, with what the current model says of it.

    Attributes:
        image: The image.
        prediction: The prediction; None without one, and where it is kept back from who asks.
        reviews: Verdicts on it, newest first.
        sites: Places that are proposed for a biopsy.
        has_cervix: Whether their hours are read from an outline of the cervix.
    """

    image: ImageRecord
    prediction: PredictionRecord | None = None
    reviews: tuple[ReviewRecord, ...] = ()
    sites: tuple[ProposedSite, ...] = ()
    has_cervix: bool = False


@dataclass(frozen=True)
class CaseReport:
    """All that the page says.

    Attributes:
        case: The case.
        images: Those that have room on the page, acetic acid first.
        n_images: How many the case has.
        model_sha256: Hash of the current model; empty before the first.
        made_by: Who asked for it.
        made_at: When.
        code_version: Version of the program.
    """

    case: CaseRecord
    images: tuple[ReportedImage, ...]
    n_images: int
    model_sha256: str
    made_by: str
    made_at: datetime
    code_version: str
