"""The two protocols, and what a training does by either: segment, compare the classifiers, judge the pipeline."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from colpo_core.evaluation.blind import BlindReference
from colpo_core.nets.pipeline import Pipeline
from colpo_core.training.channels import Channels
from colpo_core.training.comparison import run_comparison
from colpo_core.training.course import Course, Prepared
from colpo_core.training.loop import Fitted
from colpo_core.training.paper_protocol import prepare_as_published
from colpo_core.training.patient_protocol import prepare_by_patients

_PREPARING: dict[str, Callable[[Course], Prepared]] = {
    "patient": prepare_by_patients,
    "paper": prepare_as_published,
}


@dataclass(frozen=True)
class Learned:
    """What a training ends with.

    Attributes:
        pipeline: Trained, with its frozen decisions, in eval mode.
        metrics: As the card holds them.
        fitted: How the fit of each stage went, by its name.
        blind: What a mask reaches that looks at no image, from the masks that the segmenter learned from.
    """

    pipeline: Pipeline
    metrics: dict[str, Any]
    fitted: dict[str, Fitted]
    blind: BlindReference | None


def prepare(course: Course) -> Prepared:
    """Train the segmenters of the course's protocol and draw the fourth channel.

    Raises:
        JobCancelled: A person wants to stop.
        JobFailed: The snapshot lacks what the protocol needs, or the loss is no number.
    """
    return _PREPARING[course.workshop.settings.protocol](course)


def learn(course: Course) -> Learned:
    """Train all networks of the course's protocol, with every arm of the comparison, and judge the pipeline.

    Raises:
        JobCancelled: A person wants to stop.
        JobFailed: The snapshot lacks what the protocol needs, or the loss is no number.
    """
    prepared = prepare(course)
    shop = course.workshop
    channels = Channels(shop.frames, prepared.channel, seed=shop.settings.seed)
    compared = run_comparison(shop, channels, prepared)
    pipeline = course.assemble(prepared.segmenter, compared.three, compared.four)
    blind = course.blind_reference(prepared.segmented)
    metrics = course.evaluate(pipeline, prepared.examinations, blind)
    metrics["comparison"] = compared.figures
    return Learned(pipeline, metrics, prepared.fitted | compared.fitted, blind)
