"""Predicting images that are not in the store. It loads torch, so only the command line and workers call it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from colpo_core.records.people import Actor
from colpo_core.services import audit
from colpo_core.services.checkpoints import checkpoint_dir, get_checkpoint, verify_files
from colpo_core.services.permissions import CLINICIANS, require
from colpo_core.store import Store

if TYPE_CHECKING:
    from colpo_core.inference.folder import FolderReport, PredictedFile, RefusedFile


def predict_files(
    store: Store,
    *,
    actor: Actor,
    checkpoint_id: int,
    images_dir: Path,
    out_dir: Path,
    on_file: "Callable[[PredictedFile | RefusedFile, int, int], None] | None" = None,
) -> "FolderReport":
    """Write a mask for every image of a folder, and a table of what the networks say; nothing is stored.

    Args:
        store: The open store, which holds the checkpoint.
        actor: Who asks.
        checkpoint_id: Who predicts.
        images_dir: Folder of JPEG, PNG, TIFF and BMP files.
        out_dir: Where masks and `predictions.csv` go.
        on_file: Called after each file with what became of it, its number and how many there are.

    Raises:
        CheckpointMismatch: The checkpoint's files are not what the registry says.
        InputRejected: The folders do not fit.
        PermissionDenied: The actor is a reader.
    """
    require(actor, CLINICIANS)
    from colpo_core.inference.folder import predict_folder
    from colpo_core.nets.checkpoint import load_checkpoint

    checkpoint = get_checkpoint(store, actor=actor, checkpoint_id=checkpoint_id)
    verify_files(store, checkpoint)
    pipeline, card = load_checkpoint(checkpoint_dir(store, checkpoint.name))
    report = predict_folder(pipeline, card, images_dir, out_dir, on_file=on_file)
    with store.writing() as session:
        counts = {"predicted": len(report.predicted), "refused": len(report.refused)}
        audit.record(session, actor, "predict outside images", f"checkpoint {checkpoint_id}", **counts)
    return report
