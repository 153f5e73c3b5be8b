from pathlib import Path
from typing import Any

import pytest

from colpo_core.errors import CheckpointMismatch, JobCancelled
from colpo_core.inference.predict import predict_image
from colpo_core.nets.checkpoint import load_checkpoint
from colpo_core.nets.spec import PipelineSpec
from colpo_core.records.training.settings import TrainingEvent
from colpo_core.terms import Label
from colpo_core.training.external_evaluation import evaluate_checkpoint
from tests.support.blobs import Blobs, blobs
from tests.support.pipelines import save_untrained

SPEC = PipelineSpec(
    segnet_width=0.1,
    height_px=64,
    width_px=96,
    temperature_3ch=3.0,
    temperature_4ch=0.5,
    threshold_3ch=0.45,
    threshold_4ch=0.55,
)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("checkpoints") / "model"
    return folder, save_untrained(folder, SPEC)


@pytest.fixture(scope="module")
def kept() -> Blobs:
    return blobs((0, 0, 5), labels=[Label.NORMAL, Label.HSIL, None])


def look(saved: tuple[Path, str], kept: Blobs, frames_dir: Path, **how: Any) -> dict[str, Any]:
    how = {"on_event": lambda _: None, "cancelled": lambda: False} | how
    return evaluate_checkpoint(*saved, kept.manifest, source=kept, frames_dir=frames_dir, **how)


def test_it_says_what_inference_says_with_the_frozen_decisions(
    saved: tuple[Path, str], kept: Blobs, tmp_path: Path
) -> None:
    told: list[TrainingEvent] = []
    metrics = look(saved, kept, tmp_path, on_event=told.append)
    pipeline, _ = load_checkpoint(saved[0], expected_sha256=saved[1])
    labelled = [item for item in kept.manifest.items if item.label is not None]
    assert [row["image_id"] for row in metrics["predictions"]] == [item.image_id for item in labelled]
    for row, item in zip(metrics["predictions"], labelled, strict=True):
        said = predict_image(pipeline, kept.load_image(item.image_sha256), with_maps=False)
        # The pipeline has calibrated them: a second temperature would move them.
        assert row["prob_hsil_3ch"] == pytest.approx(said.prob_hsil_3ch, abs=2e-6)
        assert row["prob_hsil_4ch"] == pytest.approx(said.prob_hsil_4ch, abs=2e-6)
    thresholds = [metrics[f"classification_{network}"]["case"]["threshold"] for network in ("3ch", "4ch")]
    assert thresholds == [SPEC.threshold_3ch, SPEC.threshold_4ch]
    assert metrics["segmentation"]["n_images"] == 5
    assert metrics["snapshot_sha256"] == kept.manifest.sha256
    assert told[0].message == "Judging on 5 images"
    assert told[-1].figures


def test_it_can_be_stopped_and_refuses_another_checkpoint(saved: tuple[Path, str], kept: Blobs, tmp_path: Path) -> None:
    with pytest.raises(JobCancelled):
        look(saved, kept, tmp_path, cancelled=lambda: True)
    with pytest.raises(CheckpointMismatch):
        look((saved[0], "0" * 64), kept, tmp_path)
