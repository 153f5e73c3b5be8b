"""One training from frames to judged pipeline, whatever its protocol."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from colpo_core.datasets.frames import ACETOWHITE, PixelSource
from colpo_core.datasets.image_sets import ImageSet
from colpo_core.datasets.manifest import Manifest
from colpo_core.datasets.mapped_arrays import new_channel
from colpo_core.errors import JobFailed
from colpo_core.evaluation.blind import BlindReference, blind_reference
from colpo_core.nets.interfaces import Classifier, Segmenter
from colpo_core.nets.pipeline import Pipeline, with_acetowhite
from colpo_core.nets.spec import PipelineSpec
from colpo_core.records.training.stages import EVALUATION
from colpo_core.terms import Split
from colpo_core.training.contract import FitResult
from colpo_core.training.incumbent import Incumbent, compare_with_incumbent
from colpo_core.training.judging import (
    PipelineResults,
    calibrated,
    calibration_before,
    freeze_decisions,
    judge_pipeline,
    metrics_of,
)
from colpo_core.training.saliency_checks import MOST_IMAGES, randomise_weights
from colpo_core.training.segmentation import draw_acetowhite, has_acetowhite
from colpo_core.training.stage_splits import label_counts
from colpo_core.training.trainer import Trainer


@dataclass(frozen=True)
class EvaluationSet:
    """The images of one side on which a pipeline is judged.

    Attributes:
        masks: Those whose masks are compared.
        labels: Those whose labels are compared; may be the very same.
    """

    masks: ImageSet
    labels: ImageSet

    @property
    def parts(self) -> list[tuple[ImageSet, bool, bool]]:
        """Each set with whether its masks and whether its labels count; one where both are the same."""
        if self.masks == self.labels:
            return [(self.masks, True, True)]
        return [(self.masks, True, False), (self.labels, False, True)]


@dataclass(frozen=True)
class PreparedData:
    """What a protocol has made ready for the classifiers.

    Attributes:
        segmenter: The pipeline's segmenter, trained.
        segmented: The images that it learned from.
        fitted: How each fit of a segmenter went, by its stage.
        channel: N x H x W uint8: the fourth channel of every frame.
        train: What classifiers learn from.
        validation: What their epochs are chosen on, and their thresholds.
        test: What they are judged on.
        evaluation_sets: What the pipeline is judged on, for validation and for test.
    """

    segmenter: Segmenter
    segmented: ImageSet
    fitted: dict[str, FitResult]
    channel: npt.NDArray[np.uint8]
    train: ImageSet
    validation: ImageSet
    test: ImageSet
    evaluation_sets: dict[Split, EvaluationSet]


@dataclass(frozen=True)
class TrainingRun:
    """One training: what its stages share beside the trainer.

    Attributes:
        manifest: The snapshot.
        trainer: Where the networks are taught.
        source: Where images and masks are read from.
        work_dir: Folder of this training alone.
        incumbent: The clinic's current model, or None.
    """

    manifest: Manifest
    trainer: Trainer
    source: PixelSource
    work_dir: Path
    incumbent: Incumbent | None

    def require_acetowhite(self, masks: ImageSet) -> None:
        """Refuse masks that are all empty.

        Raises:
            JobFailed: They are.
        """
        if not has_acetowhite(self.trainer.frames, masks.members):
            raise JobFailed(
                "All masks on the training side are empty, so there is no acetowhite epithelium to learn. "
                "Annotate images that show some, then freeze a new snapshot."
            )

    def new_channel(self) -> npt.NDArray[np.uint8]:
        """An empty fourth channel of every frame, N x H x W uint8, in a file of the training's folder.

        Raises:
            JobFailed: The disk cannot take it.
        """
        count, height_px, width_px = self.trainer.frames.target.shape
        return new_channel(self.work_dir / "channel.u8", count=count, height_px=height_px, width_px=width_px)

    def draw(self, network: Segmenter, places: Sequence[int], channel: npt.NDArray[np.uint8]) -> None:
        """Let a segmenter draw the fourth channel of frames.

        Raises:
            JobCancelled: A person wants to stop.
        """
        trainer = self.trainer
        draw_acetowhite(
            network,
            trainer.batches,
            places,
            into=channel,
            batch_size=trainer.settings.batch_size,
            progress=trainer.progress,
        )

    def assemble(self, segmenter: Segmenter, three: Classifier, four: Classifier) -> Pipeline:
        """The pipeline of three networks, before its decisions are frozen."""
        settings = self.trainer.settings
        spec = PipelineSpec(
            classifier=settings.classifier,
            segnet_width=settings.segnet_width,
            height_px=settings.height_px,
            width_px=settings.width_px,
            segmenter=settings.segmenter,
            mask_highlights=settings.mask_highlights,
            average_flips=settings.average_flips,
        )
        return Pipeline(spec, segmenter, three, four).to(self.trainer.hardware.device).eval()

    def blind_reference(self, masks: ImageSet) -> BlindReference | None:
        """What can be said of a mask without looking at its image, from the masks that the segmenter learned from.

        Args:
            masks: Those images; an image of several copies counts once, as it is.
        """
        frames = self.trainer.frames
        height_px, width_px = frames.target.shape[1:]
        return blind_reference(
            (
                frames.target[index][frames.geometries[index].rows, frames.geometries[index].columns] == ACETOWHITE
                for index in masks.members
            ),
            height_px=height_px,
            width_px=width_px,
        )

    def evaluate(
        self, pipeline: Pipeline, evaluation_sets: dict[Split, EvaluationSet], blind: BlindReference | None = None
    ) -> dict[str, Any]:
        """Freeze calibration and thresholds on the validation side, then judge both sides with them.

        Args:
            pipeline: Its spec is changed to hold the decisions.
            evaluation_sets: What to judge on, for validation and for test.
            blind: Masks that look at no image, which the segmenter is held against; None where there are none.

        Raises:
            JobCancelled: A person wants to stop.
        """
        trainer, settings = self.trainer, self.trainer.settings
        counts = {
            split: sum(len(images) for images, _, _ in evaluation_set.parts)
            for split, evaluation_set in evaluation_sets.items()
        }
        trainer.begin(
            EVALUATION, 1, f"Judging on {counts[Split.VALIDATION]} validation and {counts[Split.TEST]} test images"
        )
        boundary = counts[Split.VALIDATION] / max(1, sum(counts.values()))
        raw = {
            Split.VALIDATION: self._judge(pipeline, evaluation_sets[Split.VALIDATION], (0.0, boundary), blind),
            Split.TEST: self._judge(pipeline, evaluation_sets[Split.TEST], (boundary, 1.0), blind),
        }
        share = label_counts(self.manifest.items, settings.protocol).share_hsil
        pipeline.spec = freeze_decisions(
            pipeline.spec, raw[Split.VALIDATION], rule=settings.threshold_rule, share=share
        )
        source, seed = self.manifest.label_source, abs(settings.seed)
        final = {split: calibrated(results, pipeline.spec) for split, results in raw.items()}
        figures = {
            split: metrics_of(results, pipeline.spec, label_source=source, seed=seed, blind=blind)
            for split, results in final.items()
        }
        saliency = self._check_saliency(pipeline, evaluation_sets[Split.TEST].labels)
        trainer.progress.epoch_done(1, headline(figures[Split.TEST]))
        return {
            "split": str(Split.TEST),
            **figures[Split.TEST],
            "forgetting": saliency,
            "uncalibrated": calibration_before(raw[Split.TEST], seed=seed),
            "validation": figures[Split.VALIDATION],
            "against_current": self._against_current(final[Split.TEST], pipeline.spec),
        }

    def _check_saliency(self, pipeline: Pipeline, images: ImageSet) -> dict[str, Any]:
        """By network, whether its maps change with its weights; see `randomise_weights`."""
        trainer = self.trainer
        if not len(images):
            return {}
        batch = next(iter(images.judging_batches(trainer.batches, min(MOST_IMAGES, len(images)))))
        with torch.inference_mode():
            four = with_acetowhite(batch.images, pipeline.segmenter.acetowhite(batch.images))
        return {
            name: [
                asdict(line)
                for line in randomise_weights(
                    network, taken, seed=abs(trainer.settings.seed), on_step=lambda: trainer.progress.beat(1.0)
                )
            ]
            for name, network, taken in (
                ("3ch", pipeline.classifier_3ch, batch.images),
                ("4ch", pipeline.classifier_4ch, four),
            )
        }

    def _judge(
        self,
        pipeline: Pipeline,
        evaluation_set: EvaluationSet,
        share: tuple[float, float],
        blind: BlindReference | None = None,
    ) -> PipelineResults:
        trainer, results = self.trainer, PipelineResults([], [], [], [], [])
        for images, on_masks, on_labels in evaluation_set.parts:
            part = judge_pipeline(
                pipeline,
                trainer.frames,
                trainer.batches,
                images,
                source=self.source,
                batch_size=trainer.settings.batch_size,
                progress=trainer.progress,
                share=share,
                on_masks=on_masks,
                on_labels=on_labels,
                blind=blind,
            )
            results = results.with_those_of(part)
        return results

    def _against_current(self, results: PipelineResults, spec: PipelineSpec) -> dict[str, Any] | None:
        if self.incumbent is None or self.trainer.settings.protocol != "patient":
            return None
        return compare_with_incumbent(
            self.incumbent,
            results,
            spec,
            self.manifest.of(Split.TEST),
            source=self.source,
            device=self.trainer.hardware.device,
            progress=self.trainer.progress,
        )


def headline(metrics: dict[str, Any]) -> dict[str, float]:
    """The figures for the training's live record; those that are not defined are left out."""
    values = {
        "test_iou_acetowhite": metrics["segmentation"]["iou_acetowhite"]["value"],
        "test_auc_3ch": metrics["classification_3ch"]["case"]["auc"]["value"],
        "test_auc_4ch": metrics["classification_4ch"]["case"]["auc"]["value"],
    }
    return {name: value for name, value in values.items() if value is not None}
