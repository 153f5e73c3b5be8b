"""Records of images."""

from dataclasses import dataclass

from colpo_core.terms import Stage


@dataclass(frozen=True)
class ImageRecord:
    """One stored image.

    Attributes:
        id: Row of the image.
        case_id: Row of its case.
        sha256: Hash of the clean file, by which the blob is found.
        media_type: `image/png` or `image/jpeg`.
        width_px: Width in pixels.
        height_px: Height in pixels.
        stage: When it was taken.
        seconds_after_acid: Seconds after acetic acid, where known.
        shows_cervix: Whether it shows the cervix; where not, it is left out of learning.
        simulated: Whether the program drew it.
    """

    id: int
    case_id: int
    sha256: str
    media_type: str
    width_px: int
    height_px: int
    stage: Stage
    seconds_after_acid: int | None
    shows_cervix: bool
    simulated: bool

    @property
    def can_be_predicted(self) -> bool:
        """Whether a model reads it: it was taken after acetic acid and shows the cervix."""
        return self.stage is Stage.ACETIC_ACID and self.shows_cervix


def place_in_series(stage: Stage, seconds_after_acid: int | None, image_id: int) -> tuple[int, int, int]:
    """Sorts the images of a case: by stage as an examination goes, then by time, then as they came in."""
    return (list(Stage).index(stage), seconds_after_acid or 0, image_id)
