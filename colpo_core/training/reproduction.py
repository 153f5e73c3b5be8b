"""Kim et al. 2022 on a clinic's own snapshot: by the paper's protocol and by patients, for the three ResNets.

Source: Kim et al. 2022, Fig. 6 and Fig. 7.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from colpo_core.errors import InputRejected
from colpo_core.nets.registry import NO_WEIGHTS, find_weights
from colpo_core.records.models.networks import CLASSIFIERS, check_available
from colpo_core.records.statistics.figures import Estimate, Proportion
from colpo_core.records.training.reproduction import SET_BY_REPRODUCTION, ReproducedCalls, ReproducedMasks, Reproduction
from colpo_core.records.training.settings import PROTOCOLS, TrainingEvent, TrainingSettings
from colpo_core.records.training.stages import PREDICTED, THREE
from colpo_core.training.card import leaks_of
from colpo_core.training.comparison import run_comparison
from colpo_core.training.fourth_channel_controls import FourthChannelControls
from colpo_core.training.paper_protocol import check_masks
from colpo_core.training.progress import ProgressReporter
from colpo_core.training.protocols import prepare
from colpo_core.training.setup import TrainingInputs, set_up_training
from colpo_core.training.stage_store import StageStore, training_key
from colpo_core.training.training_run import TrainingRun

SHARES = ("accuracy", "sensitivity", "specificity", "ppv", "npv")
MASKS = ("accuracy_acetowhite", "accuracy_background", "iou_acetowhite", "iou_background", "dice")

_LEVELS = {"paper": ("image",), "patient": ("image", "case")}


def reproduce(
    inputs: TrainingInputs,
    *,
    classifiers: Sequence[str],
    on_event: Callable[[TrainingEvent], None],
    cancelled: Callable[[], bool],
) -> Reproduction:
    """Run both protocols. Called again with the same work folder, it goes on where it stood.

    Args:
        inputs: What is learned from, how, and where; the settings of `SET_BY_REPRODUCTION` are set here.
        classifiers: Which classifiers, one at least.
        on_event: Takes what there is to tell.
        cancelled: Whether a person wants to stop.

    Raises:
        InputRejected: No classifier is named, or one is unknown or needs optional packages that are not installed.
        LeakageFound: The snapshot's own split leaks.
        JobFailed: The snapshot cannot be learned from, or something ran out.
        JobCancelled: A person wanted to stop.
        SnapshotMismatch: An image or mask is not what the snapshot says.
        CheckpointMismatch: Pretrained weights are wanted and not there.
    """
    manifest, settings = inputs.manifest, inputs.settings
    _check_classifiers(classifiers, pretrained=settings.pretrained)
    # The paper's protocol comes second: what it lacks must not be found when the first has taken its hours.
    check_masks(sum(item.mask_sha256 is not None for item in manifest.items))
    masks: list[ReproducedMasks] = []
    calls: list[ReproducedCalls] = []
    for protocol in PROTOCOLS:
        chosen = replace(settings, protocol=protocol, classifier=classifiers[0], comparison_seeds=1)
        with set_up_training(
            replace(inputs, settings=chosen, work_dir=inputs.work_dir / protocol),
            progress=ProgressReporter(on_event, cancelled),
            shares=_Whole(),
        ) as run:
            for classifier, metrics in _run(run, classifiers):
                calls += _calls(protocol, classifier, metrics)
            # One segmenter stands before all classifiers, so the last one's masks are those of each.
            masks.append(_masks(protocol, metrics))
    return Reproduction(
        snapshot_sha256=manifest.sha256,
        label_source=manifest.label_source,
        simulated=manifest.simulated,
        settings={name: value for name, value in settings.to_dict().items() if name not in SET_BY_REPRODUCTION},
        leaks=" ".join(leaks_of(replace(settings, protocol="paper"))),
        masks=tuple(masks),
        calls=tuple(calls),
    )


def _check_classifiers(classifiers: Sequence[str], *, pretrained: str) -> None:
    """Refuse now, not after hours of segmentation."""
    if not classifiers:
        raise InputRejected("A reproduction needs at least one classifier. Name one.")
    unknown = [name for name in classifiers if name not in CLASSIFIERS]
    if unknown:
        raise InputRejected(f"The classifier must be one of {', '.join(CLASSIFIERS)}, not {', '.join(unknown)}.")
    check_available(*(CLASSIFIERS[name] for name in classifiers))
    if pretrained != NO_WEIGHTS:
        for name in classifiers:
            find_weights(name, pretrained)


class _Whole(dict[str, tuple[float, float]]):
    """Every stage is its own whole: how many there will be is told by the log, not by a bar."""

    def __missing__(self, stage: str) -> tuple[float, float]:
        return 0.0, 1.0


def _run(run: TrainingRun, classifiers: Sequence[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The metrics of each classifier behind one segmenter."""
    settings, progress = run.trainer.settings, run.trainer.progress
    progress.say(f"By the protocol “{settings.protocol}”.", done=0.0)
    # The segmenter does not depend on the classifier: one more, or another order, does not train it anew.
    prepared = prepare(_with_own_stages(run, "stages", replace(settings, classifier=TrainingSettings.classifier)))
    channels = FourthChannelControls(run.trainer.frames, prepared.channel, seed=settings.seed)
    for classifier in classifiers:
        progress.say(f"{CLASSIFIERS[classifier].title} by the protocol “{settings.protocol}”.", done=1.0)
        own = _with_own_stages(run, classifier, replace(settings, classifier=classifier))
        compared = run_comparison(own.trainer, channels, prepared, runs=[(THREE, 0), (PREDICTED, 0)])
        pipeline = own.assemble(prepared.segmenter, compared.three, compared.four)
        yield classifier, own.evaluate(pipeline, prepared.evaluation_sets, own.blind_reference(prepared.segmented))


def _with_own_stages(run: TrainingRun, name: str, settings: TrainingSettings) -> TrainingRun:
    """The same run with other settings; its stages are stored by themselves."""
    stage_store = StageStore(run.work_dir / name, training_key(run.manifest, settings))
    return replace(run, trainer=replace(run.trainer, settings=settings, stage_store=stage_store))


def _masks(protocol: str, metrics: Mapping[str, Any]) -> ReproducedMasks:
    block = metrics["segmentation"]
    return ReproducedMasks(
        protocol=protocol,
        n_images=block["n_images"],
        figures={name: Estimate(**block[name]) for name in MASKS},
        by_image=tuple({name: image["figures"][name] for name in MASKS} for image in block["by_image"]),
    )


def _calls(protocol: str, classifier: str, metrics: Mapping[str, Any]) -> list[ReproducedCalls]:
    calls = []
    for channels in (3, 4):
        for level in _LEVELS[protocol]:
            block = metrics[f"classification_{channels}ch"][level]
            calls.append(
                ReproducedCalls(
                    protocol=protocol,
                    classifier=classifier,
                    channels=channels,
                    level=level,
                    n=block["n"],
                    n_patients=block["n_patients"],
                    interval=block["interval"],
                    shares={name: Proportion(**block[name]) for name in SHARES},
                    auc=Estimate(**block["auc"]),
                )
            )
    return calls
