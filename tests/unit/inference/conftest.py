"""A small pipeline that looks at its image, and a checkpoint of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from colpo_core.nets.checkpoint import load_checkpoint, save_checkpoint
from colpo_core.nets.pipeline import Pipeline, PipelineSpec, build_pipeline

SPEC = PipelineSpec(segnet_width=0.05, height_px=96, width_px=128, threshold_3ch=0.4, threshold_4ch=0.6)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pipeline, dict[str, Any]]:
    torch.manual_seed(2)
    made = build_pipeline(SPEC).train()
    with torch.no_grad():
        made.classifier_4ch.resnet.conv1.weight[:, 3].normal_(std=0.05)
        for _ in range(3):
            made(torch.rand(4, 3, SPEC.height_px, SPEC.width_px))
    folder: Path = tmp_path_factory.mktemp("checkpoints") / "small"
    save_checkpoint(folder, made.eval(), {"name": "small"})
    return load_checkpoint(folder)


@pytest.fixture(scope="module")
def pipeline(loaded: tuple[Pipeline, dict[str, Any]]) -> Pipeline:
    return loaded[0]


@pytest.fixture(scope="module")
def card(loaded: tuple[Pipeline, dict[str, Any]]) -> dict[str, Any]:
    return loaded[1]


@pytest.fixture
def learning(pipeline: Pipeline) -> Iterator[Pipeline]:
    """The pipeline in training mode, in which it may not be asked."""
    yield pipeline.train()
    pipeline.eval()
