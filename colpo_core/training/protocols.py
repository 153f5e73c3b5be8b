"""The two protocols, and what a training does by either: segment, compare the classifiers, judge the pipeline."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from colpo_core.evaluation.blind import BlindReference
from colpo_core.nets.pipeline import Pipeline
from colpo_core.training.comparison import run_comparison
from colpo_core.training.contract import FitResult
from colpo_core.training.fourth_channel_controls import FourthChannelControls
from colpo_core.training.paper_protocol import prepare_as_published
from colpo_core.training.patient_protocol import prepare_by_patients
from colpo_core.training.training_run import PreparedData, TrainingRun

_PREPARATIONS: dict[str, Callable[[TrainingRun], PreparedData]] = {
    "patient": prepare_by_patients,
    "paper": prepare_as_published,
}


@dataclass(frozen=True)
class TrainedPipeline:
    """What a training ends with.

    Attributes:
        pipeline: Trained, with its frozen decisions, in eval mode.
        metrics: As the card holds them.
        fitted: How the fit of each stage went, by its name.
        blind: What a mask reaches that looks at no image, from the masks that the segmenter learned from.
    """

    pipeline: Pipeline
    metrics: dict[str, Any]
    fitted: dict[str, FitResult]
    blind: BlindReference | None


def prepare(run: TrainingRun) -> PreparedData:
    """Train the segmenters of the run's protocol and draw the fourth channel.

    Raises:
        JobCancelled: A person wants to stop.
        JobFailed: The snapshot lacks what the protocol needs, or the loss is no number.
    """
    return _PREPARATIONS[run.trainer.settings.protocol](run)


def train_by_protocol(run: TrainingRun) -> TrainedPipeline:
    """Train all networks of the run's protocol, with every arm of the comparison, and judge the pipeline.

    Raises:
        JobCancelled: A person wants to stop.
        JobFailed: The snapshot lacks what the protocol needs, or the loss is no number.
    """
    prepared = prepare(run)
    trainer = run.trainer
    channels = FourthChannelControls(trainer.frames, prepared.channel, seed=trainer.settings.seed)
    compared = run_comparison(trainer, channels, prepared)
    pipeline = run.assemble(prepared.segmenter, compared.three, compared.four)
    blind = run.blind_reference(prepared.segmented)
    metrics = run.evaluate(pipeline, prepared.evaluation_sets, blind)
    metrics["comparison"] = compared.figures
    return TrainedPipeline(pipeline, metrics, prepared.fitted | compared.fitted, blind)
