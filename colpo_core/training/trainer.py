"""What all fits of one training share, and how it trains a segmenter and a classifier."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from colpo_core.datasets.frames import Frames
from colpo_core.datasets.image_sets import ImageSet
from colpo_core.datasets.tensors import Batches, FourthChannel
from colpo_core.nets.interfaces import Classifier, Segmenter
from colpo_core.nets.registry import build_classifier, build_segmenter
from colpo_core.records.training.settings import TrainingSettings
from colpo_core.training.classification import classification_objective
from colpo_core.training.contract import FitBackend, FitRequest, FitResult, Hyperparameters, Objective
from colpo_core.training.fitting import fit
from colpo_core.training.hardware import Hardware
from colpo_core.training.progress import ProgressReporter
from colpo_core.training.segmentation import segmentation_objective
from colpo_core.training.stage_store import StageStore


@dataclass(frozen=True)
class Trainer:
    """Trains the networks of one training, with what their fits share.

    Attributes:
        settings: How to learn.
        frames: All images of the snapshot.
        batches: Draws their batches.
        hardware: What it computes on.
        progress: Told of every step.
        stage_store: Where finished and unfinished stages lie.
        shares: Where each stage begins and ends within the whole training.
        backend: Shares each fit out among several machines; None for this one.
    """

    settings: TrainingSettings
    frames: Frames
    batches: Batches
    hardware: Hardware
    progress: ProgressReporter
    stage_store: StageStore
    shares: Mapping[str, tuple[float, float]]
    backend: FitBackend | None = None

    def begin(self, stage: str, epochs: int, message: str) -> None:
        """Enter a stage.

        Raises:
            JobCancelled: A person wants to stop.
        """
        self.progress.begin(stage, epochs_total=epochs, share=self.shares[stage], message=message)

    def train_segmenter(self, stage: str, images: ImageSet, validation: ImageSet) -> tuple[Segmenter, FitResult]:
        """Train a segmenter, or load it where the stage was finished before.

        Args:
            stage: Name of the stage.
            images: What to learn from.
            validation: What to judge by.

        Returns:
            The segmenter on the hardware's device, in eval mode, and how the fit went.

        Raises:
            JobCancelled: A person wants to stop.
            JobFailed: The loss is not a number any more.
            CheckpointMismatch: Pretrained weights are wanted and do not fit.
        """
        settings = self.settings
        self.begin(stage, settings.segmentation_epochs, f"Learning from the masks of {len(images)} images")
        torch.manual_seed(settings.seed)
        network = build_segmenter(
            settings.segmenter,
            width=settings.segnet_width,
            pretrained=settings.pretrained,
            average_flips=settings.average_flips,
        )
        objective = segmentation_objective(
            self.frames,
            self.batches,
            images,
            validation,
            class_weights=settings.class_weights,
            batch_size=settings.batch_size,
            seed=settings.seed,
            progress=self.progress,
        )
        hyperparameters = self._hyperparameters(
            settings.segmentation_epochs, settings.learning_rate_segmentation, settings.seed
        )
        return network, self._train(stage, network, objective, hyperparameters)

    def train_classifier(
        self, stage: str, images: ImageSet, validation: ImageSet, *, channel: FourthChannel | None, seed: int
    ) -> tuple[Classifier, FitResult]:
        """Train a classifier, or load it where the stage was finished before.

        One seed means the same first weights, order and augmentation.

        Args:
            stage: Name of the stage.
            images: What to learn from.
            validation: What to judge by.
            channel: Fourth channel of a frame; None for three channels.
            seed: Seed of all that is drawn.

        Returns:
            The classifier on the hardware's device, in eval mode, and how the fit went.

        Raises:
            JobCancelled: A person wants to stop.
            JobFailed: The loss is not a number any more.
            CheckpointMismatch: Pretrained weights are wanted and do not fit.
        """
        settings = self.settings
        channels = 3 if channel is None else 4
        self.begin(stage, settings.classification_epochs, f"Learning with {channels} channels")
        torch.manual_seed(seed)
        network = build_classifier(settings.classifier, in_channels=channels, pretrained=settings.pretrained)
        objective = classification_objective(
            self.frames,
            self.batches,
            images,
            validation,
            channel=channel,
            batch_size=settings.batch_size,
            seed=seed,
            progress=self.progress,
        )
        hyperparameters = self._hyperparameters(
            settings.classification_epochs, settings.learning_rate_classification, seed
        )
        return network, self._train(stage, network, objective, hyperparameters)

    def _train(
        self, stage: str, network: nn.Module, objective: Objective, hyperparameters: Hyperparameters
    ) -> FitResult:
        network.to(self.hardware.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        finished = self.stage_store.load(stage, network)
        if finished is not None:
            self.progress.say(f"The stage {stage} was finished by an earlier attempt and is kept.", done=1.0)
            return finished
        state_store = self.stage_store.unfinished(stage)
        request = FitRequest(network, objective, hyperparameters, self.hardware, self.progress, state_store)
        result = fit(request, backend=self.backend)
        self.stage_store.save(stage, network, result)
        return result

    def _hyperparameters(self, epochs: int, learning_rate: float, seed: int) -> Hyperparameters:
        settings = self.settings
        return Hyperparameters(
            epochs=epochs,
            batch_size=settings.batch_size,
            learning_rate=learning_rate,
            weight_decay=settings.weight_decay,
            seed=seed,
            max_gradient_norm=settings.max_gradient_norm,
            early_stopping=settings.early_stopping,
            ema_decay=settings.ema_decay,
        )
