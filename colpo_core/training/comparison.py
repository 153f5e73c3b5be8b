"""Did the mask help? Networks with and without it, and with controls in its place, on the same patients and seeds.

Source: Kim et al. 2022, "Classification with segmentation information": the claim that this tests again for each
clinic. There the 4-channel network had an augmentation of its own, one seed, no interval and no control.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from colpo_core.datasets.frames import Frames
from colpo_core.datasets.image_sets import ImageSet
from colpo_core.evaluation.judged import Judged, by_case
from colpo_core.evaluation.paired import compare_arms
from colpo_core.nets.interfaces import Classifier, prob_hsil
from colpo_core.records.statistics.figures import Estimate
from colpo_core.records.training.stages import ARMS, EMPTY, EXPERT, PREDICTED, SHUFFLED, THREE, arm_runs, arm_stage
from colpo_core.training.classification import LABEL_OF, image_logits
from colpo_core.training.contract import FitResult
from colpo_core.training.fourth_channel_controls import FourthChannelControls
from colpo_core.training.judging import decide, with_calibration
from colpo_core.training.stage_splits import label_counts
from colpo_core.training.trainer import Trainer
from colpo_core.training.training_run import PreparedData

PAIRS = ((THREE, PREDICTED), (EMPTY, PREDICTED), (SHUFFLED, PREDICTED), (THREE, EXPERT), (PREDICTED, EXPERT))
"""What is held against what: the second minus the first."""


@dataclass(frozen=True)
class ComparisonResult:
    """The classifiers of the first seed, which the pipeline takes, and the comparison's figures.

    Attributes:
        three: With three channels.
        four: With the predicted mask.
        fitted: How each fit of these two went, by its stage.
        figures: As the card holds them; see `comparison_figures`.
    """

    three: Classifier
    four: Classifier
    fitted: dict[str, FitResult]
    figures: dict[str, Any]


@dataclass(frozen=True)
class ArmPredictions:
    """What one network said, not calibrated.

    Attributes:
        arm: What it sees.
        run: Number of its seed, from 0.
        validation: Of each image of the validation side.
        test: Of each image of the test side.
    """

    arm: str
    run: int
    validation: list[Judged]
    test: list[Judged]


def run_comparison(
    trainer: Trainer,
    channels: FourthChannelControls,
    data: PreparedData,
    *,
    runs: Sequence[tuple[str, int]] | None = None,
) -> ComparisonResult:
    """Train every arm with every seed and compare them.

    Args:
        trainer: Trains the networks.
        channels: The fourth channel of every frame, by arm.
        data: What they learn from and are judged on.
        runs: Arms with the number of their seed, from 0; all those of the settings when None. The first seed's arms
            with three channels and with the predicted mask are always among them.

    Raises:
        JobCancelled: A person wants to stop.
        JobFailed: The loss is not a number any more.
    """
    pipeline_networks: dict[str, Classifier] = {}
    fitted: dict[str, FitResult] = {}
    predictions = []
    for arm, run in arm_runs(trainer.settings) if runs is None else runs:
        stage = arm_stage(arm, run)
        channel = channels.of(arm)
        network, result = trainer.train_classifier(
            stage, data.train, data.validation, channel=channel, seed=trainer.settings.seed + run
        )
        if run == 0 and arm in (THREE, PREDICTED):
            pipeline_networks[arm], fitted[stage] = network, result
        validation, test = (
            judge_calls(trainer, network, images, channels, arm) for images in (data.validation, data.test)
        )
        predictions.append(ArmPredictions(arm, run, validation, test))
    settings = trainer.settings
    figures = comparison_figures(
        predictions,
        rule=settings.threshold_rule,
        share=label_counts(trainer.frames.items, settings.protocol).share_hsil,
    )
    figures |= _what_experts_showed(trainer.frames, data.test)
    return ComparisonResult(pipeline_networks[THREE], pipeline_networks[PREDICTED], fitted, figures)


def judge_calls(
    trainer: Trainer, network: Classifier, images: ImageSet, channels: FourthChannelControls, arm: str
) -> list[Judged]:
    """What a classifier says of each image of a set, not calibrated.

    Raises:
        JobCancelled: A person wants to stop.
    """
    if not len(images):
        return []
    logits, classes = image_logits(
        network,
        trainer.frames,
        trainer.batches,
        images,
        channels.of(arm),
        trainer.settings.batch_size,
        trainer.progress,
    )
    probs = prob_hsil(logits.double()).tolist()
    rows = []
    for member, prob, which in zip(images.shown, probs, classes.tolist(), strict=True):
        item = trainer.frames.items[member]
        rows.append(Judged(item.patient_id, item.case_id, LABEL_OF[which], prob, image_id=item.image_id))
    return rows


def comparison_figures(runs: Sequence[ArmPredictions], *, rule: str, share: float = 0.5) -> dict[str, Any]:
    """The comparison in figures, by case, as a card holds them.

    Args:
        runs: Every arm with every seed.
        rule: How thresholds are chosen on the validation side.
        share: Share of HSIL that the probabilities are to be calibrated for; one half is what networks learn.

    Returns:
        `n_seeds`; `arms`: by arm its `name` and `ArmFigures`; `differences`: for each of `PAIRS` an
        `ArmDifference` whose `first` and `second` are the arms' names; `verdict`: a sentence on 3 channels against the
        predicted mask.
    """
    judged: dict[str, list[list[Judged]]] = {}
    thresholds: dict[str, list[float]] = {}
    for run in sorted(runs, key=lambda run: run.run):
        calibration, threshold = decide(run.validation, rule=rule, share=share)
        judged.setdefault(run.arm, []).append(by_case(with_calibration(run.test, calibration)))
        thresholds.setdefault(run.arm, []).append(threshold)
    compared = {
        (first, second): compare_arms(
            judged[first],
            judged[second],
            thresholds_first=thresholds[first],
            thresholds_second=thresholds[second],
        )
        for first, second in PAIRS
        if first in judged and second in judged
    }
    differences = [
        # The names stand in place of the arms' figures, which are under `arms`.
        {**asdict(difference), "first": first, "second": second}
        for (first, second), difference in compared.items()
    ]
    arms = {first: difference.first for (first, _), difference in compared.items()}
    arms |= {second: difference.second for (_, second), difference in compared.items()}
    return {
        "n_seeds": len(judged[THREE]),
        "arms": {arm: {"name": ARMS[arm], **asdict(arms[arm])} for arm in ARMS if arm in arms},
        "differences": differences,
        "verdict": verdict(compared[THREE, PREDICTED].auc, n_trainings=len(judged[THREE])),
    }


def verdict(difference: Estimate, *, n_trainings: int) -> str:
    """A sentence on the area under the ROC curve with the predicted mask, less the one without.

    Args:
        difference: With its interval.
        n_trainings: Of each arm. From one alone nothing can be said: in simulations its interval leaves 0 out in up to
            55 of 100 though the arms are equal, because how far trainings differ is not in it.
    """
    if difference.value is None or difference.low is None or difference.high is None:
        return "Too few patients of both labels to tell whether the mask helped."
    change = f"The predicted mask changed the AUC by {difference.value:+.2f} ({difference.low:+.2f} to "
    change += f"{difference.high:+.2f}; {difference.n_patients} patients)"
    if n_trainings == 1:
        return (
            f"{change}. That is one training of each kind, and the next one may say otherwise: choose two or more "
            "trainings of each arm to learn whether the mask helps."
        )
    if difference.low > 0:
        return f"{change}: on these patients it helped."
    if difference.high < 0:
        return f"{change}: on these patients it did harm."
    return f"{change}: no difference is shown, in either direction."


def _what_experts_showed(frames: Frames, test: ImageSet) -> dict[str, Any]:
    shown = list(test.shown)
    masked = sum(frames.items[member].mask_sha256 is not None for member in shown)
    return {"n_test_images": len(shown), "n_test_images_with_expert_mask": masked}
