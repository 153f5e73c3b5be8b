"""The fourth channel of every image, and the controls that it is held against.

Whether a mask helps can only be told against networks that differ in nothing but what the fourth channel holds.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from colpo_core.datasets.frames import ACETOWHITE, Frames
from colpo_core.datasets.tensors import FourthChannel
from colpo_core.records.training.stages import ARMS, EMPTY, EXPERT, PREDICTED, SHUFFLED
from colpo_core.terms import Split

_STREAM = 3  # keeps these draws apart from those of order and augmentation


class FourthChannelControls:
    """The fourth channel of every frame, by arm.

    The expert's arm shows the expert's mask where there is one, and the predicted one elsewhere: an empty one would say
    "no lesion" of an image that nobody has annotated.

    Args:
        frames: All frames.
        predicted: N x H x W uint8: 255 times the predicted probability of acetowhite of every frame.
        seed: Seed of the shuffling.
    """

    def __init__(self, frames: Frames, predicted: npt.NDArray[np.uint8], *, seed: int) -> None:
        self._frames = frames
        self._predicted = predicted
        self._empty = np.zeros(predicted.shape[1:], dtype=np.uint8)
        self._partner = shuffled_partners(frames, seed=seed)

    def of(self, arm: str) -> FourthChannel | None:
        """The channel of an arm; None for the one with three channels.

        Raises:
            ValueError: There is no such arm.
        """
        if arm not in ARMS:
            raise ValueError(f"the arm must be one of {', '.join(ARMS)}, not {arm!r}")
        made: dict[str, FourthChannel] = {
            PREDICTED: self._predicted_of,
            EMPTY: lambda index: self._empty,
            SHUFFLED: self._shuffled_of,
            EXPERT: self._expert_of,
        }
        return made.get(arm)

    def _predicted_of(self, index: int) -> npt.NDArray[np.uint8]:
        values: npt.NDArray[np.uint8] = self._predicted[index]
        return values

    def _shuffled_of(self, index: int) -> npt.NDArray[np.uint8]:
        partner = self._partner[index]
        return self._empty if partner is None else self._predicted_of(partner)

    def _expert_of(self, index: int) -> npt.NDArray[np.uint8]:
        if self._frames.items[index].mask_sha256 is None:
            return self._predicted_of(index)
        return np.asarray(self._frames.target[index] == ACETOWHITE).astype(np.uint8) * np.uint8(255)


def shuffled_partners(frames: Frames, *, seed: int) -> list[int | None]:
    """For every frame a frame of another patient on the same side, drawn once; None where a side has one patient.

    Patients are put in a ring at random, and each takes the channels of the next one. So every patient's channels are
    used, and a side keeps its own distribution of masks.
    """
    partners: list[int | None] = [None] * len(frames)
    for number, split in enumerate(Split):
        members: dict[int, list[int]] = {}
        for index in frames.of(split):
            members.setdefault(frames.items[index].patient_id, []).append(index)
        if len(members) < 2:
            continue
        generator = np.random.default_rng([_STREAM, abs(seed), int(seed < 0), number])
        ring = generator.permutation(sorted(members)).tolist()
        for patient, following in zip(ring, [*ring[1:], ring[0]], strict=True):
            _hand_over(partners, members[patient], members[following])
    return partners


def _hand_over(partners: list[int | None], takers: Sequence[int], givers: Sequence[int]) -> None:
    for number, index in enumerate(takers):
        partners[index] = givers[number % len(givers)]
