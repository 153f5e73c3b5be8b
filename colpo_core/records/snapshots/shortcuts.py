"""Records of shortcuts: what the label can be told from that has nothing to do with the cervix."""

from dataclasses import dataclass

CLUES = {
    "device": "the recorded device",
    "size": "the width and height of the images",
    "day": "the month or day of the examination",
    "images": "the number of images of a case",
    "simulated": "whether an image is simulated or a photograph",
    "light": "the brightness of the corners",
    "colour": "the colour of the corners",
    "sharpness": "the sharpness, grain or compression in the corners",
    "border": "the border of the images (a frame, bars or a dark edge)",
    "marks": "small marks on the images away from the middle (such as a dot or writing)",
}
"""What is tried, in words that follow `from`."""


@dataclass(frozen=True)
class ClueFigures:
    """How well the label can be told from one clue.

    Attributes:
        clue: Its name, of `CLUES`.
        auc: Area under the ROC curve on patients that the classifier did not learn from; None where the clue is the
            same for all.
        low: Lower bound of the 95% interval by patients, or None.
        high: Upper bound, or None.
        p: Chance of so high an area, or of as telling a one for any other clue, where no clue tells the label; None
            where the clue is the same for all.
        accused: Whether the area lies above one half beyond chance.
    """

    clue: str
    auc: float | None
    low: float | None
    high: float | None
    p: float | None
    accused: bool

    def text(self) -> str:
        """The doubt, where it is accused."""
        return (
            f"The label can be told from {CLUES[self.clue]} alone: AUC {self.auc:.2f} ({self.low:.2f} to "
            f"{self.high:.2f}), where 0.50 is chance. A model may learn this in place of the lesion."
        )


@dataclass(frozen=True)
class ShortcutReport:
    """What came of the search for shortcuts in a snapshot.

    Attributes:
        clues: One a clue that was tried.
        details: To an accused clue, how the labels are spread over it; by its name.
        unchecked: What could not be looked at, and why; sentences.
        n_patients: Patients who were looked at.
    """

    clues: tuple[ClueFigures, ...] = ()
    details: tuple[tuple[str, str], ...] = ()
    unchecked: tuple[str, ...] = ()
    n_patients: int = 0

    @property
    def doubts(self) -> tuple[str, ...]:
        """One sentence an accused clue, the most telling first."""
        accused = sorted((clue for clue in self.clues if clue.accused), key=lambda clue: -(clue.auc or 0))
        details = dict(self.details)
        return tuple(" ".join(filter(None, (clue.text(), details.get(clue.clue)))) for clue in accused)

    @property
    def nothing_found(self) -> str:
        """That nothing was found, and in how much; empty where something was found or nothing was tried."""
        tried = [CLUES[clue.clue] for clue in self.clues if clue.auc is not None]
        if not tried or self.doubts:
            return ""
        return (
            f"Looked for shortcuts in {self.n_patients} patients: the label cannot be told from {'; '.join(tried)}, "
            "each by itself."
        )
