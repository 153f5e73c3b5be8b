"""What a training tells while it runs, and how it is stopped."""

import time
from collections.abc import Callable

from colpo_core.errors import JobCancelled
from colpo_core.records.training.settings import TrainingEvent

HEARTBEAT_SECONDS = 2.0


class ProgressReporter:
    """Turns the steps of one stage after another into events, and a wish to stop into `JobCancelled`.

    Args:
        on_event: Takes each event.
        cancelled: Whether a person wants the training to stop; asked at every step.
        clock: Seconds from any beginning.
    """

    def __init__(
        self,
        on_event: Callable[[TrainingEvent], None],
        cancelled: Callable[[], bool],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._on_event = on_event
        self._cancelled = cancelled
        self._clock = clock
        self._stage = ""
        self._epoch = 0
        self._epochs_total = 0
        self._from = 0.0
        self._until = 0.0
        self._told_at = clock()

    def __reduce__(self) -> tuple[Callable[[], "ProgressReporter"], tuple[()]]:
        """In another process a progress is mute and never stops: the process that holds the job tells, and ends it."""
        return _mute, ()

    def silent(self) -> "ProgressReporter":
        """A progress that hears the same wish to stop and tells nothing; it stands in a stage of its own."""
        muted = ProgressReporter(lambda event: None, self._cancelled, clock=self._clock)
        muted.begin("", epochs_total=1, share=(0.0, 1.0), message="")
        return muted

    def begin(self, stage: str, *, epochs_total: int, share: tuple[float, float], message: str) -> None:
        """Enter a stage.

        Args:
            stage: Its name.
            epochs_total: How many epochs it has.
            share: Where it begins and ends within the whole training, each 0 to 1.
            message: A sentence for the log.

        Raises:
            JobCancelled: A person wants to stop.
        """
        self._stage, self._epoch, self._epochs_total = stage, 0, epochs_total
        self._from, self._until = share
        self.check()
        self._tell(self._from, {}, message)

    def check(self) -> None:
        """Stop where a person wants to.

        Raises:
            JobCancelled: A person wants to stop.
        """
        if self._cancelled():
            raise JobCancelled("The training was cancelled. Stages that were finished are kept; run it again to go on.")

    def beat(self, done: float) -> None:
        """One step of a stage: stop where wanted, and give a sign of life now and then.

        Args:
            done: Share of the stage that is done, 0 to 1.

        Raises:
            JobCancelled: A person wants to stop.
        """
        self.check()
        if self._clock() - self._told_at >= HEARTBEAT_SECONDS:
            self._tell(self._at(done), {}, "")

    def epoch_done(self, epoch: int, figures: dict[str, float]) -> None:
        """An epoch of the stage is over.

        Args:
            epoch: From 1.
            figures: Losses and metrics by name.
        """
        self._epoch = epoch
        self._tell(self._at(epoch / self._epochs_total), figures, "")

    def say(self, message: str, *, done: float) -> None:
        """A sentence for the log.

        Args:
            message: The sentence.
            done: Share of the stage that is done, 0 to 1.
        """
        if done >= 1:
            self._epoch = self._epochs_total
        self._tell(self._at(done), {}, message)

    def _at(self, done: float) -> float:
        return self._from + (self._until - self._from) * min(1.0, max(0.0, done))

    def _tell(self, progress: float, figures: dict[str, float], message: str) -> None:
        self._told_at = self._clock()
        self._on_event(TrainingEvent(self._stage, self._epoch, self._epochs_total, progress, figures, message))


def _mute() -> ProgressReporter:
    return ProgressReporter(lambda event: None, lambda: False)
