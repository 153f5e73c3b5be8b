import pickle

import pytest

from colpo_core.errors import JobCancelled
from colpo_core.records.training.settings import TrainingEvent
from colpo_core.training.progress import ProgressReporter


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_progress_runs_over_the_whole_training() -> None:
    told: list[TrainingEvent] = []
    progress = ProgressReporter(told.append, lambda: False)
    progress.begin("segmentation", epochs_total=4, share=(0.2, 0.6), message="Loading")
    progress.epoch_done(1, {"train_loss": 0.5})
    progress.epoch_done(4, {})
    progress.say("Done", done=1.0)
    assert [event.progress for event in told] == pytest.approx([0.2, 0.3, 0.6, 0.6])
    assert told[0] == TrainingEvent("segmentation", 0, 4, 0.2, {}, "Loading")
    assert (told[1].epoch, told[1].figures) == (1, {"train_loss": 0.5})
    assert told[3].message == "Done"


def test_a_sign_of_life_comes_now_and_then_not_at_every_step() -> None:
    told: list[TrainingEvent] = []
    clock = Clock()
    progress = ProgressReporter(told.append, lambda: False, clock=clock)
    progress.begin("segmentation", epochs_total=2, share=(0.0, 1.0), message="")
    for _ in range(100):
        clock.now += 0.1
        progress.beat(0.5)
    beats = told[1:]
    assert 3 <= len(beats) <= 6
    assert all(not event.figures and not event.message and event.progress == 0.5 for event in beats)


def test_a_wish_to_stop_is_heard_at_every_step() -> None:
    wished: list[bool] = []
    progress = ProgressReporter(lambda event: None, lambda: bool(wished))
    progress.begin("segmentation", epochs_total=1, share=(0.0, 1.0), message="")
    progress.beat(0.1)
    wished.append(True)
    for ask in (lambda: progress.beat(0.2), progress.check):
        with pytest.raises(JobCancelled, match="run it again"):
            ask()
    with pytest.raises(JobCancelled):
        progress.begin("evaluation", epochs_total=1, share=(0.0, 1.0), message="")


def test_in_another_process_a_reporter_is_mute() -> None:
    asked: list[bool] = []
    sent = pickle.dumps(ProgressReporter(lambda event: None, lambda: bool(asked.append(True))))
    crossed: ProgressReporter = pickle.loads(sent)  # noqa: S301
    crossed.check()
    assert not asked
