import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from colpo_core.errors import CheckpointMismatch, JobCancelled, JobFailed, LeakageFound
from colpo_core.inference.predict import predict_image
from colpo_core.nets.card import read_card
from colpo_core.nets.checkpoint import load_checkpoint
from colpo_core.records.training.settings import TrainingEvent
from colpo_core.records.training.stages import ARMS
from colpo_core.terms import Label, LabelSource, Split
from colpo_core.training.pipeline import TrainedCheckpoint, train_pipeline
from colpo_core.training.setup import TrainingInputs
from colpo_core.training.stages import stage_shares
from tests.support.blobs import Blobs, blobs, tiny


def train(
    some: Blobs,
    work_dir: Path,
    *,
    events: list[TrainingEvent] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    **settings: object,
) -> TrainedCheckpoint:
    told = events if events is not None else []
    frames_dir = work_dir.with_name(f"{work_dir.name}-frames")
    inputs = TrainingInputs(some.manifest, tiny(**settings), some, work_dir, frames_dir)
    return train_pipeline(inputs, on_event=told.append, cancelled=cancelled)


@pytest.fixture(scope="module")
def few() -> Blobs:
    return blobs((4, 2, 2))


@pytest.fixture(scope="module")
def told() -> list[TrainingEvent]:
    return []


@pytest.fixture(scope="module")
def trained(few: Blobs, told: list[TrainingEvent], tmp_path_factory: pytest.TempPathFactory) -> TrainedCheckpoint:
    return train(few, tmp_path_factory.mktemp("job"), events=told)


@pytest.fixture
def job(trained: TrainedCheckpoint, tmp_path: Path) -> Path:
    """A copy of the folder in which it was trained."""
    return Path(shutil.copytree(trained.folder.parent, tmp_path / "job"))


def test_the_checkpoint_loads_and_its_card_is_sealed(trained: TrainedCheckpoint, few: Blobs) -> None:
    pipeline, card = load_checkpoint(trained.folder, expected_sha256=trained.sha256)
    assert card == trained.card
    assert card["snapshot_sha256"] == few.manifest.sha256
    assert card["settings"] == tiny().to_dict()
    assert card["simulated"] is True
    assert (pipeline.spec.height_px, pipeline.spec.width_px, pipeline.spec.segnet_width) == (64, 64, 0.1)
    assert pipeline.spec.average_flips
    assert pipeline.spec.threshold_3ch == card["thresholds"]["3ch"]
    metrics = card["metrics"]
    assert metrics["split"] == "test"
    assert metrics["segmentation"]["n_images"] == metrics["validation"]["segmentation"]["n_images"] == 2
    for channels in ("classification_3ch", "classification_4ch"):
        for level in ("image", "case"):
            assert metrics[channels][level]["n"] == 2
            assert metrics[channels][level]["label_source"] == "histology"
    assert set(metrics["paired"]) == {"image", "case"}
    comparison = metrics["comparison"]
    assert set(comparison["arms"]) == set(ARMS)
    assert {(row["first"], row["second"]) for row in comparison["differences"]} >= {("3ch", "predicted")}
    assert metrics["against_current"] is None
    assert card["computed_on"] == {"device": "cpu", "devices": 1, "precision": "fp32", "threads": 1}
    assert set(card["history"]) == {
        "segmentation",
        "segmentation without fold 1 of 2",
        "segmentation without fold 2 of 2",
        "classification 3 channels",
        "classification 4 channels",
    }


def test_the_events_tell_every_stage_in_order(
    trained: TrainedCheckpoint, told: list[TrainingEvent], few: Blobs
) -> None:
    stages = list(stage_shares(few.manifest, tiny()))
    assert list(dict.fromkeys(event.stage for event in told)) == stages
    progress = [event.progress for event in told]
    assert progress == sorted(progress)
    assert progress[0] == 0.0
    assert progress[-1] == 1.0
    assert {event.stage for event in told if event.figures} == set(stages)
    losses = [event.figures for event in told if event.stage == "segmentation" and event.figures]
    assert {"train_loss", "validation_loss", "validation_iou_acetowhite"} <= losses[0].keys()
    assert all(np.isfinite(value) for event in told for value in event.figures.values())


def test_the_same_seed_gives_the_same_weights(trained: TrainedCheckpoint, few: Blobs, tmp_path: Path) -> None:
    again = train(few, tmp_path)
    assert again.card["weights_sha256"] == trained.card["weights_sha256"]
    assert again.card["metrics"] == trained.card["metrics"]


def test_after_a_crash_it_goes_on_after_the_last_finished_stage(
    trained: TrainedCheckpoint, few: Blobs, tmp_path: Path
) -> None:
    def crash(event: TrainingEvent) -> None:
        if event.stage == "classification 3 channels":
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        inputs = TrainingInputs(few.manifest, tiny(), few, tmp_path, tmp_path / "frames")
        train_pipeline(inputs, on_event=crash, cancelled=lambda: False)
    kept = (tmp_path / "stages" / "segmentation.safetensors").stat().st_mtime_ns
    events: list[TrainingEvent] = []
    resumed = train(few, tmp_path, events=events)
    assert not [event for event in events if event.stage == "segmentation" and event.figures]
    assert [event for event in events if "earlier attempt" in event.message]
    assert (tmp_path / "stages" / "segmentation.safetensors").stat().st_mtime_ns == kept
    assert resumed.card["weights_sha256"] == trained.card["weights_sha256"]
    assert resumed.card["history"]["segmentation"]["best_epoch"] == 1


def test_what_other_settings_left_is_learned_anew(job: Path, few: Blobs) -> None:
    events: list[TrainingEvent] = []
    # The first stage tells; the others take theirs from the same stage_store.
    with pytest.raises(JobCancelled):
        train(few, job, seed=3, events=events, cancelled=lambda: any(event.figures for event in events))
    assert events[-1].stage == "segmentation"
    assert not [event for event in events if "earlier attempt" in event.message]


def test_a_checkpoint_that_was_written_whole_is_handed_over_again(trained: TrainedCheckpoint, few: Blobs) -> None:
    events: list[TrainingEvent] = []
    again = train(few, trained.folder.parent, events=events)
    assert again == trained
    assert not events


def test_a_torn_checkpoint_is_written_anew_from_its_stages(trained: TrainedCheckpoint, job: Path, few: Blobs) -> None:
    (job / "checkpoint" / "weights.safetensors").write_bytes(b"torn")
    events: list[TrainingEvent] = []
    again = train(few, job, events=events)
    assert {event.stage for event in events if event.figures} == {"evaluation"}
    assert again.card["weights_sha256"] == trained.card["weights_sha256"]
    assert read_card(again.folder)["sha256"] == again.sha256


@pytest.mark.parametrize("after", [0, 3, 12])
def test_cancelling_stops_promptly_and_leaves_no_checkpoint(few: Blobs, tmp_path: Path, after: int) -> None:
    asked: list[int] = []
    with pytest.raises(JobCancelled):
        train(few, tmp_path, cancelled=lambda: asked.append(1) or len(asked) > after)
    assert len(asked) == after + 1
    assert not (tmp_path / "checkpoint").exists()


def test_a_leak_is_refused_before_anything_is_learned(few: Blobs, tmp_path: Path) -> None:
    first, second, *rest = few.manifest.items
    items = (replace(first, split=Split.TEST), replace(second, patient_id=first.patient_id), *rest)
    with pytest.raises(LeakageFound, match="patient"):
        train(replace(few, manifest=replace(few.manifest, items=items)), tmp_path)


def test_masks_that_are_all_empty_are_refused(few: Blobs, tmp_path: Path) -> None:
    empty = replace(few, masks={sha: np.zeros_like(mask) for sha, mask in few.masks.items()})
    with pytest.raises(JobFailed, match="All masks on the training side are empty"):
        train(empty, tmp_path)


def test_pretrained_weights_that_are_missing_are_named_before_anything_is_learned(few: Blobs, tmp_path: Path) -> None:
    events: list[TrainingEvent] = []
    with pytest.raises(CheckpointMismatch, match="vgg19_bn"):
        train(few, tmp_path, segnet_width=1.0, pretrained=str(tmp_path), events=events)
    assert not events


def test_an_old_checkpoint_of_another_training_makes_way(job: Path, few: Blobs) -> None:
    with pytest.raises(JobCancelled):
        train(few, job, seed=5, cancelled=lambda: True)
    assert not (job / "checkpoint").exists()


def test_where_hsil_is_rarer_the_probabilities_are_brought_down_to_its_share(tmp_path: Path) -> None:
    """A quarter of the images are HSIL; the loss weighs both labels alike, so the network itself says about a half."""
    some = blobs((8, 8, 8), labels=[Label.NORMAL, Label.NORMAL, Label.NORMAL, Label.HSIL])
    trained = train(some, tmp_path, classification_epochs=2)
    pipeline, card = load_checkpoint(trained.folder)
    for network, chosen in (("3ch", pipeline.spec.calibration_3ch), ("4ch", pipeline.spec.calibration_4ch)):
        told = card["calibration"][network]
        assert (told["n_normal"], told["n_hsil"], told["share_hsil"]) == (12, 4, 0.25)
        assert (told["temperature"], told["intercept"]) == (chosen.temperature, chosen.intercept)
        before = card["metrics"]["uncalibrated"][network]["calibration"]["image"]
        after = card["metrics"][network]["calibration"]["image"]
        assert after["observed"]["value"] == 0.25
        assert abs(after["in_the_large"]["value"]) < abs(before["in_the_large"]["value"])
        assert abs(after["in_the_large"]["value"]) < 0.12
    # What the checkpoint says of an image from now on is what its card says, and so is the call.
    for row, item in zip(card["metrics"]["predictions"], some.manifest.of(Split.TEST), strict=True):
        said = predict_image(pipeline, some.load_image(item.image_sha256), with_maps=False)
        assert row["prob_hsil_4ch"] == pytest.approx(said.prob_hsil_4ch, abs=2e-6)
        assert said.threshold_4ch == card["thresholds"]["4ch"]


def test_a_diverging_training_says_what_to_do(few: Blobs, tmp_path: Path) -> None:
    with pytest.raises(JobFailed, match="lower learning rate"):
        train(few, tmp_path, learning_rate_segmentation=1e30, segmentation_epochs=4)


def test_without_validation_and_test_the_last_epoch_and_a_half_are_taken(tmp_path: Path) -> None:
    some = blobs((3, 0, 0), label_source=LabelSource.IMPRESSION)
    card = train(some, tmp_path, segmentation_epochs=2).card
    assert card["thresholds"]["3ch"] == pytest.approx(1 / 3), "0.5 before the weights are taken out"
    assert card["calibration"]["3ch"]["method"] == "offset"
    assert card["history"]["segmentation"]["best_epoch"] == 2
    assert card["metrics"]["classification_4ch"]["case"]["auc"]["value"] is None
    assert card["metrics"]["classification_4ch"]["case"]["label_source"] == "impression"


def test_the_settings_of_torch_come_back(trained: TrainedCheckpoint) -> None:
    assert not torch.are_deterministic_algorithms_enabled()
