"""A training laid open, so that a test can look at its stages one by one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from colpo_core.datasets.frames import Frames
from colpo_core.datasets.tensors import Batches
from colpo_core.records.training.settings import TrainingEvent, TrainingSettings
from colpo_core.training.course import Course
from colpo_core.training.hardware import plain_hardware
from colpo_core.training.opening import open_course
from colpo_core.training.shelf import Shelf
from colpo_core.training.stages import stage_shares
from colpo_core.training.watch import Watch
from colpo_core.training.workshop import Workshop
from tests.support.blobs import Blobs, tiny


def quiet_watch(cancelled: Callable[[], bool] = lambda: False, told: list[TrainingEvent] | None = None) -> Watch:
    """A watch that stands in some stage."""
    watch = Watch((told if told is not None else []).append, cancelled)
    watch.begin("segmentation", epochs_total=1, share=(0.0, 1.0), message="")
    return watch


@contextmanager
def opened(some: Blobs, folder: Path, settings: TrainingSettings | None = None) -> Iterator[Course]:
    """The course of a training in a folder."""
    wanted = settings or tiny()
    with open_course(
        some.manifest,
        wanted,
        load_image=some.load_image,
        load_mask=some.load_mask,
        work_dir=folder / "work",
        frames_dir=folder / "frames",
        watch=quiet_watch(),
        shares=stage_shares(some.manifest, wanted),
    ) as course:
        yield course


def workshop_of(some: Blobs, frames: Frames, folder: Path, settings: TrainingSettings) -> Workshop:
    """A workshop whose frames need not come from a snapshot that is fit to learn from."""
    hardware = plain_hardware()
    return Workshop(
        settings=settings,
        frames=frames,
        batches=Batches(frames, bounds=settings.augmentation, device=hardware.device),
        hardware=hardware,
        watch=quiet_watch(),
        shelf=Shelf(folder / "stages", "test"),
        shares=stage_shares(some.manifest, settings),
    )
