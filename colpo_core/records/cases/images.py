"""Records of images."""

from collections.abc import Iterable
from dataclasses import dataclass

from colpo_core.terms import ImageQuestion, Stage


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
    def is_readable(self) -> bool:
        """Whether a model reads it: it was taken after acetic acid and shows the cervix."""
        return self.stage is Stage.ACETIC_ACID and self.shows_cervix


@dataclass(frozen=True)
class AskedImage:
    """An image about which something is asked."""

    image_id: int
    case_id: int
    stage: Stage
    questions: tuple[ImageQuestion, ...]


@dataclass(frozen=True)
class Contradiction:
    """Two images that are copies of each other, in two cases whose labels contradict each other."""

    image_id: int
    case_id: int
    other_image_id: int
    other_case_id: int


STAGE_NAMES = {
    Stage.NATIVE: "native",
    Stage.ACETIC_ACID: "acetic acid",
    Stage.GREEN_FILTER: "green filter",
    Stage.LUGOL: "Lugol's iodine",
}
_ASKED = {
    ImageQuestion.IODINE: (
        "looks like Lugol's iodine but is filed as {stage}",
        "look like Lugol's iodine but are filed as {stage}",
    ),
    ImageQuestion.GREEN_FILTER: (
        "looks as behind a green filter but is filed as {stage}",
        "look as behind a green filter but are filed as {stage}",
    ),
    ImageQuestion.NO_IODINE: (
        "is filed as Lugol's iodine but shows none of its brown",
        "are filed as Lugol's iodine but show none of its brown",
    ),
    ImageQuestion.NO_GREEN: (
        "is filed as green filter but is not green",
        "are filed as green filter but are not green",
    ),
    ImageQuestion.STAGE_GUESSED: (
        "came without a stage and is filed as {stage}",
        "came without a stage and are filed as {stage}",
    ),
    ImageQuestion.GREY: ("is grey", "are grey"),
    ImageQuestion.DARK: ("is nearly black", "are nearly black"),
    ImageQuestion.BRIGHT: ("is nearly white", "are nearly white"),
    ImageQuestion.BLURRED: ("is blurred", "are blurred"),
    ImageQuestion.DRAWN: (
        "has so few colours as a mask or a drawing has",
        "have so few colours as masks or drawings have",
    ),
    ImageQuestion.NO_TISSUE: (
        "does not have the colours of tissue: is it a cervix?",
        "do not have the colours of tissue: are they cervices?",
    ),
    ImageQuestion.SMALL: ("is smaller than 200 pixels", "are smaller than 200 pixels"),
}


def question_text(question: ImageQuestion, stage: Stage, count: int) -> str:
    """What is asked about some images of one stage, such as `2 images look like iodine but are filed as ...`."""
    singular, plural = _ASKED[question]
    said = (singular if count == 1 else plural).format(stage=STAGE_NAMES[stage])
    return f"{count:,} image{'' if count == 1 else 's'} {said}"


def grouped_questions(asked: Iterable[AskedImage]) -> dict[tuple[ImageQuestion, Stage], list[AskedImage]]:
    """Images by what is asked about them and the stage under which they are filed; what concerns the stage first."""
    grouped: dict[tuple[ImageQuestion, Stage], list[AskedImage]] = {}
    for image in asked:
        for question in image.questions:
            grouped.setdefault((question, image.stage), []).append(image)
    order = list(ImageQuestion)
    return dict(sorted(grouped.items(), key=lambda item: (order.index(item[0][0]), list(Stage).index(item[0][1]))))


def place_in_series(stage: Stage, seconds_after_acid: int | None, image_id: int) -> tuple[int, int, int]:
    """Sorts the images of a case: by stage as an examination goes, then by time, then as they came in."""
    return (list(Stage).index(stage), seconds_after_acid or 0, image_id)
