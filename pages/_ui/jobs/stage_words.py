"""The stages of a training in words, and how far those are that have no curves of their own.

The names are those that `colpo_core.training.stages` gives; it is not imported here, because a training imports torch.
"""

import re
from collections.abc import Iterable

from colpo_core.records.jobs import JobEventRecord, JobRecord
from colpo_core.records.models.cards import CONTROLS

MAIN_STAGES = {
    "segmentation": "Segmenter",
    "classification 3 channels": "Classifier, 3 channels",
    "classification 4 channels": "Classifier, 4 channels",
}
"""Those whose curves are drawn."""

_FOLD = re.compile(r"segmentation without fold (\d+) of (\d+)")
_COMPARISON = re.compile(r"comparison, (.+), seed (\d+)")


def stage_text(stage: str) -> str:
    """What a stage is called on a page.

    Args:
        stage: Its name in the live record.
    """
    if fold := _FOLD.fullmatch(stage):
        return f"Fourth channel: segmenter without part {fold[1]} of {fold[2]}"
    if run := _COMPARISON.fullmatch(stage):
        return f"Comparison: {run[1]}, training {run[2]}"
    if stage == "evaluation":
        return "Judging validation and test side"
    return MAIN_STAGES.get(stage, stage.capitalize())


def side_runs(events: Iterable[JobEventRecord], job: JobRecord) -> list[str]:
    """How many folds and how many trainings of the comparison are done, a sentence each.

    Args:
        events: All of the job so far.
        job: The job.
    """
    if job.settings.get("protocol", "patient") != "patient":
        return []
    begun = {event.stage for event in events}
    folds = int(job.settings.get("folds", 0))
    # Two of the comparison's trainings are the main classifiers.
    runs = len(CONTROLS) * int(job.settings.get("comparison_seeds", 0)) - 2
    told = []
    for title, pattern, total in (("Fourth channel", _FOLD, folds), ("Comparison", _COMPARISON, runs)):
        done = sum(bool(pattern.fullmatch(stage)) for stage in begun)
        if pattern.fullmatch(job.stage) and not job.result:
            done -= 1
        if begun and total > 0:
            told.append(f"{title}: {max(0, done)} of {total} trainings done")
    return told


def speed_text(events: Iterable[JobEventRecord]) -> str:
    """How many images a second the newest epoch took, such as `57 images a second`; nothing before the first."""
    speeds = [event.figures["images_per_second"] for event in events if "images_per_second" in event.figures]
    return pace_text(speeds[-1]) if speeds else ""


def pace_text(images_per_second: float) -> str:
    """A pace in words, such as `57 images a second`."""
    return f"{images_per_second:.{0 if images_per_second >= 10 else 1}f} images a second"


def resources_text(events: Iterable[JobEventRecord]) -> str:
    """What the process took at the newest epoch, such as `1.4 GB of memory · GPU 93% busy, 11 of 80 GB`."""
    told = [event.figures for event in events if "memory_gb" in event.figures]
    if not told:
        return ""
    said = f"{told[-1]['memory_gb']:.1f} GB of memory"
    if "gpu_memory_gb" in told[-1]:
        busy = f"{told[-1]['gpu_load']:.0%} busy, " if "gpu_load" in told[-1] else ""
        said += f" · GPU {busy}{told[-1]['gpu_memory_gb']:.0f} of {told[-1]['gpu_memory_total_gb']:.0f} GB"
    return said
