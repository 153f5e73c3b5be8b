"""Checkpoints on the disk: written whole or not at all, and proven on loading."""

import json
import os
import shutil
from pathlib import Path
from typing import Any
from uuid import uuid4

import safetensors.torch
import torch
from safetensors import SafetensorError

import colpo_core
from colpo_core.errors import CheckpointMismatch, Conflict, JobFailed
from colpo_core.nets.card import FORMAT_VERSION, RESERVED, file_sha256, read_card, seal_card
from colpo_core.nets.pipeline import Pipeline, PipelineSpec, build_pipeline
from colpo_core.records.models.card_seal import CARD_FILE, WEIGHTS_FILE


def save_checkpoint(folder: Path, pipeline: Pipeline, card: dict[str, Any]) -> str:
    """Write a checkpoint folder; after a crash it is there whole or not at all.

    Args:
        folder: Folder to make; it must not exist.
        pipeline: What to save: weights (in float32) and spec.
        card: What made it, as plain JSON; `code_version` is filled in where it is missing.

    Returns:
        The checkpoint's SHA-256, which covers the card and through it the weights.

    Raises:
        Conflict: The folder exists already; nothing was overwritten.
        CheckpointMismatch: The weights are not finite, as after a training that diverged.
        JobFailed: The disk is full or cannot be written to; nothing is left behind.
        ValueError: The card uses a reserved key or holds what JSON cannot say.
    """
    taken = sorted(set(card) & set(RESERVED))
    if taken:
        raise ValueError(f"a card must not bring {', '.join(taken)}: saving fills them in")
    if folder.exists():
        raise Conflict(f"There is a checkpoint folder {folder.name} already. Nothing was overwritten.")
    weights = _plain_weights(pipeline)
    # Beside its place, so that the rename stays on one disk; a leading dot, so that no listing takes it for one.
    temporary = folder.with_name(f".{folder.name}.{uuid4().hex}")
    try:
        temporary.mkdir(parents=True)
        safetensors.torch.save_file(weights, temporary / WEIGHTS_FILE)
        sealed = seal_card(
            {
                "code_version": colpo_core.__version__,
                **card,
                "format_version": FORMAT_VERSION,
                "spec": pipeline.spec.to_dict(),
                "weights_sha256": file_sha256(temporary / WEIGHTS_FILE),
            }
        )
        (temporary / CARD_FILE).write_text(_json(sealed), encoding="utf-8")
        _flush(temporary / WEIGHTS_FILE, temporary / CARD_FILE, temporary)
        temporary.rename(folder)
        _flush(folder.parent)
    except (OSError, SafetensorError) as error:
        raise JobFailed(
            f"The checkpoint {folder.name} could not be written: {error}. Make room on the disk and run the job again."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    sha256: str = sealed["sha256"]
    return sha256


def load_checkpoint(folder: Path, *, expected_sha256: str | None = None) -> tuple[Pipeline, dict[str, Any]]:
    """Load a checkpoint and prove that it is the one that was saved.

    Args:
        folder: Folder that `save_checkpoint` made.
        expected_sha256: What saving returned, where the caller kept it: tells one whole checkpoint from another.

    Returns:
        The pipeline on the CPU, in float32, channels last and in eval mode; and its card.

    Raises:
        CheckpointMismatch: A file is missing, damaged or changed; the format or the networks are another version's;
            or it is not the checkpoint expected.
    """
    card = read_card(folder)
    if expected_sha256 is not None and card["sha256"] != expected_sha256:
        raise CheckpointMismatch(
            f"The folder {folder.name} holds another checkpoint than the store names. Restore it from a back-up."
        )
    pipeline = build_pipeline(_spec_of(card))
    weights = _verified_weights(folder, card)
    try:
        pipeline.load_state_dict(weights)
    except RuntimeError as error:
        raise CheckpointMismatch(
            f"The weights of checkpoint {folder.name} do not fit the networks of this version of the program. "
            "Use the version that trained it, or train again."
        ) from error
    return pipeline.to(memory_format=torch.channels_last).eval(), card


def _plain_weights(pipeline: Pipeline) -> dict[str, torch.Tensor]:
    weights = {}
    for name, value in pipeline.state_dict().items():
        plain = value.detach().to("cpu", torch.float32 if value.is_floating_point() else value.dtype)
        if plain.is_floating_point() and not bool(torch.isfinite(plain).all()):
            raise CheckpointMismatch(
                f"The weights hold numbers that are not finite ({name}): the training diverged. "
                "Train again with a lower learning rate."
            )
        weights[name] = plain.contiguous()
    return weights


def _spec_of(card: dict[str, Any]) -> PipelineSpec:
    values = card.get("spec")
    if not isinstance(values, dict):
        raise CheckpointMismatch("The checkpoint's card does not say what its networks are. Restore it from a back-up.")
    return PipelineSpec.from_dict(values)


def _verified_weights(folder: Path, card: dict[str, Any]) -> dict[str, torch.Tensor]:
    path = folder / WEIGHTS_FILE
    try:
        intact = file_sha256(path) == card.get("weights_sha256")
    except OSError as error:
        raise CheckpointMismatch(
            f"The checkpoint {folder.name} has no readable {WEIGHTS_FILE}. Restore its folder from a back-up."
        ) from error
    if not intact:
        raise CheckpointMismatch(
            f"The weights of checkpoint {folder.name} are not those that its card names: the file is damaged or was "
            "exchanged. Restore its folder from a back-up."
        )
    try:
        weights: dict[str, torch.Tensor] = safetensors.torch.load_file(path)
    except SafetensorError as error:
        raise CheckpointMismatch(f"The weights of checkpoint {folder.name} cannot be read. Train again.") from error
    return weights


def _json(card: dict[str, Any]) -> str:
    return json.dumps(card, indent=2, sort_keys=True, allow_nan=False) + "\n"


def _flush(*paths: Path) -> None:
    """Flush files and folders to the disk; Windows cannot flush a folder, and needs not."""
    for path in paths:
        if path.is_dir() and os.name == "nt":
            continue
        descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
