"""A training laid open, so that a test can look at its stages one by one."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from torch import nn

from colpo_core.datasets.frames import Frames
from colpo_core.datasets.tensors import Batches
from colpo_core.records.jobs.jobs import JobRecord
from colpo_core.records.training.settings import TrainingEvent, TrainingSettings
from colpo_core.services.common.callers import Caller
from colpo_core.services.training.starting import start_training
from colpo_core.training.contract import FitRequest, FitResult, FitStateStore, Hyperparameters, Objective
from colpo_core.training.fitting import fit
from colpo_core.training.hardware import plain_hardware
from colpo_core.training.progress import ProgressReporter
from colpo_core.training.setup import TrainingInputs, set_up_training
from colpo_core.training.stage_store import StageStore
from colpo_core.training.stages import stage_shares
from colpo_core.training.trainer import Trainer
from colpo_core.training.training_run import TrainingRun
from tests.support.blobs import Blobs, tiny


def quiet_progress(
    cancelled: Callable[[], bool] = lambda: False, told: list[TrainingEvent] | None = None
) -> ProgressReporter:
    """A reporter that is in some stage."""
    progress = ProgressReporter((told if told is not None else []).append, cancelled)
    progress.begin("segmentation", epochs_total=1, share=(0.0, 1.0), message="")
    return progress


def stopping_after(count: int) -> Callable[[], bool]:
    """Says that the training is to stop, once it has been asked so often."""
    asked = itertools.count()
    return lambda: next(asked) >= count


def fit_quietly(
    network: nn.Module,
    objective: Objective,
    hyperparameters: Hyperparameters,
    *,
    devices: int = 1,
    progress: ProgressReporter | None = None,
    state_store: FitStateStore | None = None,
) -> FitResult:
    """Fit a network on plain hardware, telling nobody unless there is a reporter."""
    hardware, progress = plain_hardware(devices=devices), progress or quiet_progress()
    return fit(
        FitRequest(network, objective, hyperparameters, hardware=hardware, progress=progress, state_store=state_store)
    )


@contextmanager
def opened(some: Blobs, folder: Path, settings: TrainingSettings | None = None) -> Iterator[TrainingRun]:
    """The run of a training in a folder."""
    inputs = TrainingInputs(some.manifest, settings or tiny(), some, folder / "work", folder / "frames")
    shares = stage_shares(some.manifest, inputs.settings)
    with set_up_training(inputs, progress=quiet_progress(), shares=shares) as run:
        yield run


def trainer_of(some: Blobs, frames: Frames, folder: Path, settings: TrainingSettings) -> Trainer:
    """A trainer whose frames need not come from a snapshot that is fit to learn from."""
    hardware = plain_hardware()
    return Trainer(
        settings=settings,
        frames=frames,
        batches=Batches(frames, bounds=settings.augmentation, device=hardware.device),
        hardware=hardware,
        progress=quiet_progress(),
        stage_store=StageStore(folder / "stages", "test"),
        shares=stage_shares(some.manifest, settings),
    )


def queue_training(caller: Caller, snapshot_id: int, **changes: object) -> JobRecord:
    """A job that trains on a snapshot by the default settings, but for `changes`."""
    return start_training(caller, snapshot_id=snapshot_id, settings=replace(TrainingSettings(), **changes))
