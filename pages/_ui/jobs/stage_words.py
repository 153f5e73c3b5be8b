"""The stages of a training in words, and how far those are that have no curves of their own."""

from collections.abc import Iterable

from colpo_core.records.jobs.jobs import JobEventRecord, JobRecord
from colpo_core.records.training.stages import (
    ARMS,
    CLASSIFICATION_3CH,
    CLASSIFICATION_4CH,
    SEGMENTATION,
    StageKind,
    TrainingStage,
    read_stage,
)

MAIN_STAGES = {
    SEGMENTATION: "Segmenter",
    CLASSIFICATION_3CH: "Classifier, 3 channels",
    CLASSIFICATION_4CH: "Classifier, 4 channels",
}
"""Those whose curves are drawn."""


def stage_text(name: str) -> str:
    """What a stage is called on a page.

    Args:
        name: Its name in the live record.
    """
    stage = read_stage(name)
    match stage:
        case TrainingStage(kind=StageKind.FOLD):
            return f"Fourth channel: segmenter without part {stage.number} of {stage.total}"
        case TrainingStage(kind=StageKind.COMPARISON):
            return f"Comparison: {stage.arm_title}, training {stage.number}"
        case TrainingStage(kind=StageKind.EVALUATION):
            return "Judging validation and test side"
    return MAIN_STAGES.get(name, name.capitalize())


def side_runs(events: Iterable[JobEventRecord], job: JobRecord) -> list[str]:
    """How many folds and how many trainings of the comparison are done, a sentence each.

    Args:
        events: All of the job so far.
        job: The job.
    """
    settings = job.training_settings
    if settings is None or settings.protocol != "patient":
        return []
    begun = [_kind_of(name) for name in {event.stage for event in events}]
    # Two of the comparison's trainings are the main classifiers.
    n_runs = len(ARMS) * settings.comparison_seeds - 2
    sentences = []
    for title, kind, total in (
        ("Fourth channel", StageKind.FOLD, settings.folds),
        ("Comparison", StageKind.COMPARISON, n_runs),
    ):
        is_under_way = _kind_of(job.stage) is kind and job.result is None
        done = begun.count(kind) - is_under_way
        if begun and total > 0:
            sentences.append(f"{title}: {max(0, done)} of {total} trainings done")
    return sentences


def _kind_of(name: str) -> StageKind | None:
    stage = read_stage(name)
    return stage.kind if stage else None


def speed_text(events: Iterable[JobEventRecord]) -> str:
    """How many images a second the newest epoch took, such as `57 images a second`; nothing before the first."""
    speeds = [event.figures["images_per_second"] for event in events if "images_per_second" in event.figures]
    return pace_text(speeds[-1]) if speeds else ""


def pace_text(images_per_second: float) -> str:
    """A pace in words, such as `57 images a second`."""
    return f"{images_per_second:.{0 if images_per_second >= 10 else 1}f} images a second"


def resources_text(events: Iterable[JobEventRecord]) -> str:
    """What the process took at the newest epoch, such as `1.4 GB of memory · GPU 93% busy, 11 of 80 GB`."""
    measured = [event.figures for event in events if "memory_gb" in event.figures]
    if not measured:
        return ""
    newest = measured[-1]
    text = f"{newest['memory_gb']:.1f} GB of memory"
    if "gpu_memory_gb" in newest:
        busy = f"{newest['gpu_load']:.0%} busy, " if "gpu_load" in newest else ""
        text += f" · GPU {busy}{newest['gpu_memory_gb']:.0f} of {newest['gpu_memory_total_gb']:.0f} GB"
    return text
