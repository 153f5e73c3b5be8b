"""Train a whole pipeline from a snapshot: segmenter, 3-channel and 4-channel classifier, thresholds, figures, card."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from colpo_core.datasets.frames import Frames, ImageLoader, MaskLoader, load_frames
from colpo_core.datasets.guard import check_leakage
from colpo_core.datasets.manifest import Manifest
from colpo_core.errors import CheckpointMismatch, JobFailed
from colpo_core.evaluation.probabilities import Judged
from colpo_core.evaluation.roc import youden_threshold
from colpo_core.nets.card import read_card
from colpo_core.nets.checkpoint import load_checkpoint, save_checkpoint
from colpo_core.nets.pipeline import Pipeline
from colpo_core.nets.registry import NO_WEIGHTS, build_classifier, build_segmenter, find_weights
from colpo_core.nets.resnet import ColpoResNet
from colpo_core.nets.segnet import SegNet
from colpo_core.nets.spec import PipelineSpec
from colpo_core.records.learning import TrainingEvent, TrainingSettings
from colpo_core.terms import Split
from colpo_core.training.card import make_card
from colpo_core.training.classification import train_classifier
from colpo_core.training.judging import judge_pipeline, metrics_of
from colpo_core.training.loop import Fitted, Plan, reproducible
from colpo_core.training.readiness import check_trainable, explaining_memory
from colpo_core.training.segmentation import has_acetowhite, soft_acetowhite, train_segmenter
from colpo_core.training.shelf import Shelf, training_key
from colpo_core.training.watch import Watch

SEGMENTATION = "segmentation"
CLASSIFICATION_3CH = "classification 3 channels"
CLASSIFICATION_4CH = "classification 4 channels"
EVALUATION = "evaluation"
STAGES = (SEGMENTATION, CLASSIFICATION_3CH, CLASSIFICATION_4CH, EVALUATION)
# Multiply-adds for one image of 640 x 480, in units of 10^9; SegNet's go with the square of its width.
_COST_SEGNET = 238.7
_COST_CLASSIFIER = {"resnet18": 11.3, "resnet50": 25.3, "resnet101": 48.0}


@dataclass(frozen=True)
class TrainedCheckpoint:
    """A finished training.

    Attributes:
        folder: The checkpoint's folder, within the training's work folder.
        card: Its card.
        sha256: Its hash, which covers card and weights.
    """

    folder: Path
    card: dict[str, Any]
    sha256: str


def train_pipeline(
    manifest: Manifest,
    settings: TrainingSettings,
    *,
    load_image: ImageLoader,
    load_mask: MaskLoader,
    work_dir: Path,
    on_event: Callable[[TrainingEvent], None],
    cancelled: Callable[[], bool],
) -> TrainedCheckpoint:
    """Train from a snapshot. Called again with the same work folder, it goes on where it stood.

    Finished stages are kept, and of an unfinished one every few minutes the last epoch. In the end the weights are the
    same as without the interruption, bit by bit, on the same machine with the same number of threads.

    Args:
        manifest: The snapshot.
        settings: How to learn.
        load_image: Gives an image by its hash, H x W x 3 uint8.
        load_mask: Gives a mask by its hash, height and width, H x W bool.
        work_dir: Folder of this training alone.
        on_event: Takes what there is to tell.
        cancelled: Whether a person wants to stop; asked at every step.

    Raises:
        LeakageFound: A patient or image stands on two sides.
        JobFailed: The snapshot cannot be learned from, the loss is no number, or the memory does not suffice.
        JobCancelled: A person wanted to stop.
        SnapshotMismatch: An image or mask is not what the snapshot says.
        CheckpointMismatch: Pretrained weights are wanted and not there.
    """
    check_leakage(manifest)
    check_trainable(manifest)
    key = training_key(manifest, settings)
    finished = _finished(work_dir / "checkpoint", key)
    if finished is not None:
        return finished
    if settings.pretrained != NO_WEIGHTS:
        find_weights(settings.classifier, settings.pretrained)  # now, not after hours of segmentation
    with explaining_memory(), reproducible(seed=settings.seed, threads=settings.threads):
        training = _Training(
            manifest=manifest,
            settings=settings,
            load_image=load_image,
            load_mask=load_mask,
            watch=Watch(on_event, cancelled),
            shelf=Shelf(work_dir / "stages", key),
            shares=stage_shares(manifest, settings),
            device=torch.device("cuda" if torch.cuda.is_available() else "cpu"),
        )
        pipeline, metrics, fitted = training.run()
        card = make_card(manifest, settings, pipeline.spec, metrics=metrics, fitted=fitted, key=key)
        save_checkpoint(work_dir / "checkpoint", pipeline, card)
    sealed = read_card(work_dir / "checkpoint")
    training.watch.say("The checkpoint is written.", done=1.0)
    return TrainedCheckpoint(folder=work_dir / "checkpoint", card=sealed, sha256=sealed["sha256"])


def stage_shares(manifest: Manifest, settings: TrainingSettings) -> dict[str, tuple[float, float]]:
    """Where each stage begins and ends within the whole training, by what it will have to compute."""
    training = manifest.of(Split.TRAIN)
    masks = sum(item.mask_sha256 is not None for item in training)
    labels = sum(item.label is not None for item in training)
    segmenter = _COST_SEGNET * settings.segnet_width**2
    classifier = _COST_CLASSIFIER[settings.classifier]
    judged = len(manifest.items) - len(training)
    # A training step costs some three times a prediction.
    costs = {
        SEGMENTATION: 3 * segmenter * masks * settings.segmentation_epochs,
        CLASSIFICATION_3CH: 3 * classifier * labels * settings.classification_epochs,
        CLASSIFICATION_4CH: segmenter * len(manifest.items) + 3 * classifier * labels * settings.classification_epochs,
        EVALUATION: (segmenter + 2 * classifier) * max(1, judged),
    }
    shares, reached, total = {}, 0.0, sum(costs.values())
    for stage in STAGES:
        until = 1.0 if stage == EVALUATION else reached + costs[stage] / total
        shares[stage] = (reached, until)
        reached = until
    return shares


@dataclass(frozen=True)
class _Training:
    """One training with all that its stages share."""

    manifest: Manifest
    settings: TrainingSettings
    load_image: ImageLoader
    load_mask: MaskLoader
    watch: Watch
    shelf: Shelf
    shares: dict[str, tuple[float, float]]
    device: torch.device

    def run(self) -> tuple[Pipeline, dict[str, Any], dict[str, Fitted]]:
        epochs = self.settings.segmentation_epochs
        count = len(self.manifest.of(Split.TRAIN)) + len(self.manifest.of(Split.VALIDATION))
        self._begin(SEGMENTATION, epochs, f"Loading {count} images")
        frames, validation = self._load(Split.TRAIN), self._load(Split.VALIDATION)
        if not has_acetowhite(frames):
            raise JobFailed(
                "All masks on the training side are empty, so there is no acetowhite epithelium to learn. "
                "Annotate images that show some, then freeze a new snapshot."
            )
        segmenter, fitted_segmenter = self._segment(frames, validation)
        classifier_3ch, fitted_3ch = self._classify(CLASSIFICATION_3CH, frames, validation, None, None)
        self._begin(CLASSIFICATION_4CH, self.settings.classification_epochs, "Segmenting for the fourth channel")
        classifier_4ch, fitted_4ch = self._classify(
            CLASSIFICATION_4CH,
            frames,
            validation,
            self._channel(segmenter, frames),
            self._channel(segmenter, validation),
        )
        spec = PipelineSpec(
            classifier=self.settings.classifier,
            segnet_width=self.settings.segnet_width,
            height_px=self.settings.height_px,
            width_px=self.settings.width_px,
        )
        pipeline = Pipeline(spec, segmenter, classifier_3ch, classifier_4ch).eval()
        metrics = self._evaluate(pipeline)
        fitted = {
            SEGMENTATION: fitted_segmenter,
            CLASSIFICATION_3CH: fitted_3ch,
            CLASSIFICATION_4CH: fitted_4ch,
        }
        return pipeline, metrics, fitted

    def _segment(self, frames: Frames, validation: Frames) -> tuple[SegNet, Fitted]:
        settings = self.settings
        torch.manual_seed(settings.seed)
        network = build_segmenter(width=settings.segnet_width, pretrained=settings.pretrained)
        self._place(network)
        kept = self.shelf.take(SEGMENTATION, network)
        if kept is not None:
            self._say_kept(SEGMENTATION)
            return network, kept
        plan = self._plan(settings.segmentation_epochs, settings.learning_rate_segmentation)
        fitted = train_segmenter(
            network,
            frames,
            validation,
            plan=plan,
            device=self.device,
            watch=self.watch,
            keeper=self.shelf.unfinished(SEGMENTATION),
        )
        self.shelf.put(SEGMENTATION, network, fitted)
        return network, fitted

    def _classify(
        self,
        stage: str,
        frames: Frames,
        validation: Frames,
        acetowhite: npt.NDArray[np.uint8] | None,
        validation_acetowhite: npt.NDArray[np.uint8] | None,
    ) -> tuple[ColpoResNet, Fitted]:
        settings = self.settings
        # The same seed for three and four channels: the two start with the same weights.
        torch.manual_seed(settings.seed)
        channels = 3 if acetowhite is None else 4
        network = build_classifier(settings.classifier, in_channels=channels, pretrained=settings.pretrained)
        self._place(network)
        self._begin(stage, settings.classification_epochs, f"Learning with {channels} channels")
        kept = self.shelf.take(stage, network)
        if kept is not None:
            self._say_kept(stage)
            return network, kept
        fitted = train_classifier(
            network,
            frames,
            validation,
            acetowhite=acetowhite,
            validation_acetowhite=validation_acetowhite,
            plan=self._plan(settings.classification_epochs, settings.learning_rate_classification),
            device=self.device,
            watch=self.watch,
            keeper=self.shelf.unfinished(stage),
        )
        self.shelf.put(stage, network, fitted)
        return network, fitted

    def _evaluate(self, pipeline: Pipeline) -> dict[str, Any]:
        """Freeze the thresholds on the validation side, then judge both sides with them."""
        validation, test = self.manifest.of(Split.VALIDATION), self.manifest.of(Split.TEST)
        self._begin(EVALUATION, 1, f"Judging on {len(validation)} validation and {len(test)} test images")
        boundary = len(validation) / max(1, len(validation) + len(test))
        judged = {
            split: judge_pipeline(
                pipeline, items, load_image=self.load_image, load_mask=self.load_mask, watch=self.watch, share=share
            )
            for split, items, share in (
                (Split.VALIDATION, validation, (0.0, boundary)),
                (Split.TEST, test, (boundary, 1.0)),
            )
        }
        chosen = judged[Split.VALIDATION]
        pipeline.spec = replace(
            pipeline.spec,
            threshold_3ch=_threshold(chosen.judged_3ch),
            threshold_4ch=_threshold(chosen.judged_4ch),
        )
        source, seed = self.manifest.label_source, self.settings.seed
        figures = {
            split: metrics_of(found, pipeline.spec, label_source=source, seed=abs(seed))
            for split, found in judged.items()
        }
        self.watch.epoch_done(1, _headline(figures[Split.TEST]))
        return {"split": str(Split.TEST), **figures[Split.TEST], "validation": figures[Split.VALIDATION]}

    def _load(self, split: Split) -> Frames:
        return load_frames(
            self.manifest.of(split),
            height_px=self.settings.height_px,
            width_px=self.settings.width_px,
            load_image=self.load_image,
            load_mask=self.load_mask,
            on_item=lambda: self.watch.beat(0.0),
        )

    def _channel(self, segmenter: SegNet, frames: Frames) -> npt.NDArray[np.uint8]:
        return soft_acetowhite(
            segmenter, frames, batch_size=self.settings.batch_size, device=self.device, watch=self.watch
        )

    def _begin(self, stage: str, epochs: int, message: str) -> None:
        self.watch.begin(stage, epochs_total=epochs, share=self.shares[stage], message=message)

    def _say_kept(self, stage: str) -> None:
        self.watch.say(f"The stage {stage} was finished by an earlier attempt and is kept.", done=1.0)

    def _place(self, network: nn.Module) -> None:
        network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def _plan(self, epochs: int, learning_rate: float) -> Plan:
        return Plan(
            epochs=epochs,
            batch_size=self.settings.batch_size,
            learning_rate=learning_rate,
            weight_decay=self.settings.weight_decay,
            seed=self.settings.seed,
        )


def _threshold(judged: list[Judged]) -> float:
    return youden_threshold([row.label for row in judged], [row.prob_hsil for row in judged])


def _headline(metrics: dict[str, Any]) -> dict[str, float]:
    """The figures for the training's live record; those that are not defined are left out."""
    values = {
        "test_iou_acetowhite": metrics["segmentation"]["iou_acetowhite"]["value"],
        "test_auc_3ch": metrics["classification_3ch"]["case"]["auc"]["value"],
        "test_auc_4ch": metrics["classification_4ch"]["case"]["auc"]["value"],
    }
    return {name: value for name, value in values.items() if value is not None}


def _finished(folder: Path, key: str) -> TrainedCheckpoint | None:
    """The checkpoint that an earlier attempt wrote whole but did not hand over; anything else in its place goes."""
    if not folder.exists():
        return None
    try:
        _, card = load_checkpoint(folder)
    except CheckpointMismatch:
        card = {}
    if card.get("training_key") == key:
        return TrainedCheckpoint(folder=folder, card=card, sha256=card["sha256"])
    shutil.rmtree(folder)
    return None
