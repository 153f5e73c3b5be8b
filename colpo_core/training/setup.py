"""Set up a training: check the snapshot, decode it, choose the hardware, and build the trainer."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from colpo_core.datasets.frame_cache import cached_frames
from colpo_core.datasets.frames import PixelSource
from colpo_core.datasets.guard import check_leakage
from colpo_core.datasets.manifest import Manifest
from colpo_core.datasets.tensors import Batches
from colpo_core.nets.registry import NO_WEIGHTS, build_segmenter, find_weights
from colpo_core.records.models.networks import CLASSIFIERS, SEGMENTERS, check_available
from colpo_core.records.training.settings import TrainingSettings
from colpo_core.records.training.stages import SEGMENTATION
from colpo_core.training.contract import FitBackend
from colpo_core.training.hardware import Hardware, choose_hardware, trial_step
from colpo_core.training.incumbent import Incumbent
from colpo_core.training.loop import reproducible
from colpo_core.training.losses import segmentation_loss
from colpo_core.training.progress import ProgressReporter
from colpo_core.training.readiness import check_trainable, explaining_memory
from colpo_core.training.stage_store import SAVE_EVERY_SECONDS, StageStore, training_key
from colpo_core.training.trainer import Trainer
from colpo_core.training.training_run import TrainingRun

_PROBED_IMAGES = 2


@dataclass(frozen=True)
class TrainingInputs:
    """What a training learns from, how, and where its files lie.

    Attributes:
        manifest: The snapshot.
        settings: How to learn.
        source: Where images and masks are read from.
        work_dir: Folder of this training alone.
        frames_dir: Folder of decoded snapshots, which trainings share.
        incumbent: The clinic's current model, which the new one is compared with; None before the first.
        save_every_s: Seconds after which an unfinished stage is saved again.
        backend: Shares each fit out among several machines; None for this one.
    """

    manifest: Manifest
    settings: TrainingSettings
    source: PixelSource
    work_dir: Path
    frames_dir: Path
    incumbent: Incumbent | None = None
    save_every_s: float = SAVE_EVERY_SECONDS
    backend: FitBackend | None = None

    @property
    def key(self) -> str:
        """What the stored stages of this training are known by."""
        return training_key(self.manifest, self.settings)


@contextmanager
def set_up_training(
    inputs: TrainingInputs, *, progress: ProgressReporter, shares: Mapping[str, tuple[float, float]]
) -> Iterator[TrainingRun]:
    """Give a run to train in; until the block ends, torch repeats itself, and a lack of memory is explained.

    Args:
        inputs: What is learned from, how, and where.
        progress: Told of every step.
        shares: Where each stage begins and ends within the whole.

    Raises:
        InputRejected: A network needs optional packages that are not installed.
        LeakageFound: A patient, an image or a near copy stands on two sides.
        JobFailed: The snapshot cannot be learned from, or memory or disk do not suffice.
        JobCancelled: A person wants to stop.
        SnapshotMismatch: An image or mask is not what the snapshot says.
        CheckpointMismatch: Pretrained weights are wanted and not there.
    """
    manifest, settings, backend = inputs.manifest, inputs.settings, inputs.backend
    check_beforehand(manifest, settings)
    with explaining_memory(), reproducible(seed=settings.seed, threads=settings.threads):
        progress.begin(
            SEGMENTATION,
            epochs_total=settings.segmentation_epochs,
            share=shares[SEGMENTATION],
            message=f"Loading {len(manifest.items)} images",
        )
        frames = cached_frames(
            manifest,
            inputs.frames_dir,
            height_px=settings.height_px,
            width_px=settings.width_px,
            mask_highlights=settings.mask_highlights,
            source=inputs.source,
            on_item=lambda: progress.beat(0.0),
        )
        fingerprints = {item.image_id: hashed for item, hashed in zip(frames.items, frames.fingerprints, strict=True)}
        check_leakage(manifest, fingerprints)
        hardware = choose_training_hardware(
            settings, memory=inputs.work_dir / "hardware.json", several_machines=backend is not None
        )
        across = f", each fit in {hardware.devices} processes on several machines" if backend else ""
        progress.say(f"Computing on {hardware.device.type} in {hardware.precision}{across}.", done=0.0)
        trainer = Trainer(
            settings=settings,
            frames=frames,
            batches=Batches(frames, bounds=settings.augmentation, device=hardware.device),
            hardware=hardware,
            progress=progress,
            stage_store=StageStore(inputs.work_dir / "stages", inputs.key, save_every_s=inputs.save_every_s),
            shares=shares,
            backend=backend,
        )
        yield TrainingRun(manifest, trainer, inputs.source, inputs.work_dir, inputs.incumbent)


def check_beforehand(manifest: Manifest, settings: TrainingSettings) -> None:
    """Refuse what can be known to fail before anything is decoded or learned.

    Args:
        manifest: The snapshot.
        settings: How to learn.

    Raises:
        InputRejected: A network needs optional packages that are not installed.
        LeakageFound: A patient or an image stands on two sides.
        JobFailed: The snapshot cannot be learned from.
        CheckpointMismatch: Pretrained weights are wanted and not there.
    """
    check_available(SEGMENTERS[settings.segmenter], CLASSIFIERS[settings.classifier])
    check_leakage(manifest)
    check_trainable(manifest)
    if settings.pretrained != NO_WEIGHTS:
        # Now, not after hours of segmentation.
        find_weights(settings.segmenter, settings.pretrained)
        find_weights(settings.classifier, settings.pretrained)


def choose_training_hardware(
    settings: TrainingSettings, *, memory: Path | None = None, several_machines: bool = False
) -> Hardware:
    """The hardware of a training, its precision probed on the very segmenter, which takes most of the time.

    Args:
        settings: How to learn.
        memory: File in which the choice is kept for the whole training; None forgets it.
        several_machines: Whether a cluster finds the devices of each fit.

    Raises:
        InputRejected: The settings ask for what the machine has not.
        JobFailed: The choice cannot be kept.
    """
    if settings.precision != "auto" or (memory is not None and memory.exists()):
        return choose_hardware(settings, memory=memory, several_machines=several_machines)
    network = build_segmenter(settings.segmenter, width=settings.segnet_width)
    network.to(memory_format=torch.channels_last)
    images = torch.rand(_PROBED_IMAGES, 3, settings.height_px, settings.width_px)
    images = images.contiguous(memory_format=torch.channels_last)
    target = torch.zeros(_PROBED_IMAGES, settings.height_px, settings.width_px, dtype=torch.int64)
    weights = torch.ones(2)

    def loss_of(logits: torch.Tensor) -> torch.Tensor:
        return segmentation_loss(logits, target.to(logits.device), weights.to(logits.device))

    return choose_hardware(
        settings, step=trial_step(network, images, loss_of), memory=memory, several_machines=several_machines
    )
