"""Look ahead before a training: two steps of each of its networks tell how long it will take and how much memory.

The steps are those of the training: the same networks, sizes, batch, precision and optimizer, on images of noise.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil
import torch
from torch import Tensor, nn

from colpo_core.datasets.manifest import Manifest
from colpo_core.datasets.tensors import Batch
from colpo_core.nets.registry import build_classifier, build_segmenter
from colpo_core.records.training.estimates import ResourceEstimate
from colpo_core.records.training.settings import TrainingSettings
from colpo_core.training.contract import FitRequest, Hyperparameters
from colpo_core.training.hardware import Hardware
from colpo_core.training.loop import fit_in_this_process, reproducible
from colpo_core.training.losses import segmentation_loss
from colpo_core.training.progress import ProgressReporter
from colpo_core.training.readiness import explaining_memory
from colpo_core.training.setup import check_beforehand, choose_training_hardware
from colpo_core.training.stages import stage_passes

STEPS = 2
"""Steps that are timed, after one that warms up."""
_STATE_COPIES = 10
"""An unfinished fit is kept as its weights, the best so far, AdamW's two moments and a running mean, twice at most."""


def estimate_resources(
    manifest: Manifest, settings: TrainingSettings, *, progress: ProgressReporter
) -> ResourceEstimate:
    """Make a few steps of each network and work out what the whole training will take.

    Args:
        manifest: The snapshot.
        settings: How it would learn.
        progress: Told of the parts; stops where a person wants to.

    Raises:
        InputRejected: The settings ask for what the machine has not, or a network's packages are not installed.
        JobFailed: The snapshot cannot be learned from, or the memory does not suffice for a step.
        LeakageFound: A patient or an image stands on two sides.
        CheckpointMismatch: Pretrained weights are wanted and not there.
        JobCancelled: A person wants to stop.
    """
    check_beforehand(manifest, settings)
    with explaining_memory(), reproducible(seed=settings.seed, threads=settings.threads):
        progress.begin("looking ahead", epochs_total=0, share=(0.0, 1.0), message="The segmenter makes a few steps.")
        hardware = choose_training_hardware(settings)
        if hardware.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
        segmenter = build_segmenter(settings.segmenter, width=settings.segnet_width)
        of_segmenter = _pace(segmenter, _Trial(settings, channels=3, loss_of=_of_pixels), settings, hardware, progress)
        progress.say("The classifier makes a few steps.", done=0.5)
        classifier = build_classifier(settings.classifier, in_channels=4)
        of_classifier = _pace(
            classifier, _Trial(settings, channels=4, loss_of=_of_labels), settings, hardware, progress
        )
        progress.say("That will do.", done=1.0)
        return _estimate(manifest, settings, hardware, of_segmenter, of_classifier)


@dataclass(frozen=True)
class _Pace:
    """Seconds an image takes, and what the weights take."""

    learning: float
    looking: float
    n_bytes: int


class _Trial:
    """A objective of noise: an epoch is one step, and judging is one look. It takes the time of both."""

    def __init__(
        self, settings: TrainingSettings, *, channels: int, loss_of: Callable[[Tensor, Tensor], Tensor]
    ) -> None:
        size = (settings.height_px, settings.width_px)
        generator = torch.Generator().manual_seed(settings.seed)
        images = torch.rand(settings.batch_size, channels, *size, generator=generator)
        self._images = images.contiguous(memory_format=torch.channels_last)
        self._target = torch.randint(0, 2, (settings.batch_size, *size), generator=generator)
        self._loss_of = loss_of
        self._since = 0.0
        self.learning: list[float] = []
        self.looking: list[float] = []

    @property
    def count(self) -> int:
        return len(self._images)

    def batch(self, places: list[int], epoch: int) -> Batch:
        return Batch(self._images, self._target, places)

    def loss(self, network: nn.Module, batch: Batch) -> Tensor:
        device = next(network.parameters()).device
        return self._loss_of(network(batch.images.to(device)), batch.target.to(device))

    def validate(self, network: nn.Module) -> None:
        began = self.now()
        self.learning.append(began - self._since)
        with torch.inference_mode():
            network(self._images.to(next(network.parameters()).device))
        self._since = self.now()
        self.looking.append(self._since - began)

    def now(self) -> float:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return time.perf_counter()


def _of_pixels(logits: Tensor, target: Tensor) -> Tensor:
    return segmentation_loss(logits, target, torch.ones(2, device=logits.device))


def _of_labels(logits: Tensor, target: Tensor) -> Tensor:
    return nn.functional.cross_entropy(logits, target[:, 0, 0])


def _pace(
    network: nn.Module, trial: _Trial, settings: TrainingSettings, hardware: Hardware, progress: ProgressReporter
) -> _Pace:
    network.to(hardware.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    hyperparameters = Hyperparameters(
        epochs=1 + STEPS,
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate_classification,
        weight_decay=settings.weight_decay,
        seed=settings.seed,
        ema_decay=settings.ema_decay,
    )
    fit_in_this_process(FitRequest(network, trial, hyperparameters, hardware, progress.silent()))
    # The first step warms up; of the others the quickest, because other work on the machine only ever slows them down.
    learning, looking = (min(times[1:]) / settings.batch_size for times in (trial.learning, trial.looking))
    return _Pace(
        learning, looking, sum(value.numel() * value.element_size() for value in network.state_dict().values())
    )


def _estimate(
    manifest: Manifest, settings: TrainingSettings, hardware: Hardware, segmenter: _Pace, classifier: _Pace
) -> ResourceEstimate:
    passes = stage_passes(manifest, settings)
    seconds = {
        stage: (count.segmenter_learned * segmenter.learning + count.classifier_learned * classifier.learning)
        / hardware.devices
        + count.segmenter_judged * segmenter.looking
        + count.classifier_judged * classifier.looking
        for stage, count in passes.items()
    }
    weights_bytes = sum(
        (count.segmenter_learned > 0) * segmenter.n_bytes + (count.classifier_learned > 0) * classifier.n_bytes
        for count in passes.values()
    )
    is_gpu = hardware.device.type == "cuda"
    return ResourceEstimate(
        seconds=sum(seconds.values()),
        stage_seconds=seconds,
        memory_bytes=_peak_bytes(),
        gpu_bytes=torch.cuda.max_memory_reserved() if is_gpu else None,
        gpu_total_bytes=torch.cuda.get_device_properties(hardware.device).total_memory if is_gpu else None,
        weights_bytes=weights_bytes + _STATE_COPIES * max(segmenter.n_bytes, classifier.n_bytes),
        device=hardware.device.type,
        precision=hardware.precision,
    )


def _peak_bytes() -> int:
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
