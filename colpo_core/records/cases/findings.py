"""Records of the findings form: what was seen in one case, and what a mask proposes for it."""

from dataclasses import dataclass
from datetime import datetime

from colpo_core.ifcpc import Iodine, Junction, LesionLocation, Sign


@dataclass(frozen=True)
class FindingsEntry:
    """What a colposcopist enters; None, or nothing, where it was not assessed.

    Attributes:
        adequate: Whether the examination was adequate; where not, a sign says why.
        junction: How far the squamocolumnar junction is visible.
        transformation_zone: Type 1, 2 or 3.
        location: Where the lesion lies with regard to the transformation zone.
        clock_hours: Hours that the lesion touches, 1 to 12, ascending.
        quadrants: How many quadrants it touches, 0 to 4.
        cervix_percent: Percent of the cervix that it covers, 0 to 100.
        iodine: Lugol's staining.
        signs: What was seen, in the form's order.
        note: A remark without anything that names the patient.
    """

    adequate: bool | None = None
    junction: Junction | None = None
    transformation_zone: int | None = None
    location: LesionLocation | None = None
    clock_hours: tuple[int, ...] = ()
    quadrants: int | None = None
    cervix_percent: float | None = None
    iodine: Iodine | None = None
    signs: tuple[Sign, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class FindingsRecord:
    """The findings form of one case as it stands.

    Attributes:
        case_id: Row of the case.
        version: What a save has to name; 0 while nothing was entered.
        entry: What was entered.
        proposed_from: Version of a mask whose proposal of size and place a clinician confirmed, or None.
        entered_by: Display name of who saved it last, or None.
        updated_at: When, or None.
    """

    case_id: int
    version: int
    entry: FindingsEntry
    proposed_from: int | None
    entered_by: str | None
    updated_at: datetime | None


@dataclass(frozen=True)
class FindingsProposal:
    """Size and place of a lesion as read off masks, for a clinician to confirm; nothing is written by it.

    Attributes:
        image_id: The image.
        case_id: Its case.
        version_id: Submitted version of the lesion's mask that it was read from; None for a draft and where none is.
        version_number: That version's number within its annotation.
        is_draft: Whether it was read from strokes that are not submitted.
        cervix_percent: Percent of the cervix that the lesion covers; None without an outline of the cervix.
        image_percent: Percent of the image; None without a mask of the lesion.
        clock_hours: Hours that it touches, ascending.
        quadrants: How many quadrants it touches; None without a mask of the lesion.
        centre_hour: Hour of its centre; None for a lesion around the middle.
        centre_distance: How far out the centre lies, as a share of the clock's radius.
        swede_lesion_size: Points of the Swede score's row where the quadrants alone decide them, else None.
        missing: Sentences on what could not be said, and why.
    """

    image_id: int
    case_id: int
    version_id: int | None = None
    version_number: int | None = None
    is_draft: bool = False
    cervix_percent: float | None = None
    image_percent: float | None = None
    clock_hours: tuple[int, ...] = ()
    quadrants: int | None = None
    centre_hour: int | None = None
    centre_distance: float | None = None
    swede_lesion_size: int | None = None
    missing: tuple[str, ...] = ()

    @property
    def has_mask(self) -> bool:
        """Whether there was a mask of the lesion to read from."""
        return self.quadrants is not None
