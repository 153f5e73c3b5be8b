"""The workshop: all that the fits of one training share, and how a segmenter and a classifier are taught in it."""

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
from colpo_core.training.classification import classification_lesson
from colpo_core.training.hardware import Hardware
from colpo_core.training.loop import Fitted, Lesson, Plan, fit
from colpo_core.training.segmentation import segmentation_lesson
from colpo_core.training.shelf import Shelf
from colpo_core.training.watch import Watch


@dataclass(frozen=True)
class Workshop:
    """What the fits of one training share.

    Attributes:
        settings: How to learn.
        frames: All images of the snapshot.
        batches: Draws their batches.
        hardware: What it computes on.
        watch: Told of every step.
        shelf: Where finished and unfinished stages lie.
        shares: Where each stage begins and ends within the whole training.
    """

    settings: TrainingSettings
    frames: Frames
    batches: Batches
    hardware: Hardware
    watch: Watch
    shelf: Shelf
    shares: Mapping[str, tuple[float, float]]

    def begin(self, stage: str, epochs: int, message: str) -> None:
        """Enter a stage.

        Raises:
            JobCancelled: A person wants to stop.
        """
        self.watch.begin(stage, epochs_total=epochs, share=self.shares[stage], message=message)

    def teach_segmenter(self, stage: str, images: ImageSet, validation: ImageSet) -> tuple[Segmenter, Fitted]:
        """Teach a segmenter, or take it from the shelf.

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
        lesson = segmentation_lesson(
            self.frames,
            self.batches,
            images,
            validation,
            class_weights=settings.class_weights,
            batch_size=settings.batch_size,
            seed=settings.seed,
            watch=self.watch,
        )
        plan = self._plan(settings.segmentation_epochs, settings.learning_rate_segmentation, settings.seed)
        return network, self._teach(stage, network, lesson, plan)

    def teach_classifier(
        self, stage: str, images: ImageSet, validation: ImageSet, *, channel: FourthChannel | None, seed: int
    ) -> tuple[Classifier, Fitted]:
        """Teach a classifier, or take it from the shelf. One seed means the same first weights, order and augmentation.

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
        lesson = classification_lesson(
            self.frames,
            self.batches,
            images,
            validation,
            channel=channel,
            batch_size=settings.batch_size,
            seed=seed,
            watch=self.watch,
        )
        plan = self._plan(settings.classification_epochs, settings.learning_rate_classification, seed)
        return network, self._teach(stage, network, lesson, plan)

    def _teach(self, stage: str, network: nn.Module, lesson: Lesson, plan: Plan) -> Fitted:
        network.to(self.hardware.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        kept = self.shelf.take(stage, network)
        if kept is not None:
            self.watch.say(f"The stage {stage} was finished by an earlier attempt and is kept.", done=1.0)
            return kept
        fitted = fit(
            network,
            lesson,
            plan=plan,
            hardware=self.hardware,
            watch=self.watch,
            keeper=self.shelf.unfinished(stage),
        )
        self.shelf.put(stage, network, fitted)
        return fitted

    def _plan(self, epochs: int, learning_rate: float, seed: int) -> Plan:
        settings = self.settings
        return Plan(
            epochs=epochs,
            batch_size=settings.batch_size,
            learning_rate=learning_rate,
            weight_decay=settings.weight_decay,
            seed=seed,
            max_gradient_norm=settings.max_gradient_norm,
            early_stopping=settings.early_stopping,
            ema_decay=settings.ema_decay,
        )
