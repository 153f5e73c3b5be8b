"""Pipelines that nobody has trained."""

from pathlib import Path

import torch

from colpo_core.nets.checkpoint import save_checkpoint
from colpo_core.nets.pipeline import Pipeline, build_pipeline
from colpo_core.nets.spec import PipelineSpec


def untrained(spec: PipelineSpec) -> Pipeline:
    """A pipeline with weights that are always the same, drawn without touching the program's own chance."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build_pipeline(spec).to(memory_format=torch.channels_last).eval()


def save_untrained(folder: Path, spec: PipelineSpec) -> str:
    """Save such a pipeline under the folder's name; returns its SHA-256."""
    return save_checkpoint(folder, untrained(spec), {"name": folder.name})
