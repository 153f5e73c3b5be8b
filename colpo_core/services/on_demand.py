"""What loads torch and is asked for at once: predicting outside images, and maps by other methods.

Only the command line calls this, which is a process of its own; the web process never does.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from colpo_core.errors import InputRejected
from colpo_core.images.colours import map_png
from colpo_core.images.decoding import read_rgb
from colpo_core.records.people import Actor
from colpo_core.services import audit, exposures
from colpo_core.services.annotator_blinding import require_prediction_visible
from colpo_core.services.checkpoint_files import checkpoint_dir, verify_files
from colpo_core.services.checkpoints import read_checkpoint
from colpo_core.services.permissions import CLINICIANS, require
from colpo_core.services.stored_images import image_bytes
from colpo_core.store import Store
from colpo_core.terms import ExposureKind

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

    checkpoint = read_checkpoint(store, checkpoint_id)
    verify_files(store, checkpoint)
    pipeline, card = load_checkpoint(checkpoint_dir(store, checkpoint.name, checkpoint.sha256))
    report = predict_folder(pipeline, card, images_dir, out_dir, on_file=on_file)
    with store.writing() as session:
        counts = {"predicted": len(report.predicted), "refused": len(report.refused)}
        audit.record(session, actor, "predict outside images", f"checkpoint {checkpoint_id}", **counts)
    return report


def explain_image(store: Store, *, actor: Actor, checkpoint_id: int, image_id: int, method: str) -> dict[str, bytes]:
    """Maps of one stored image by another method than the one that predictions keep.

    Args:
        store: The open store.
        actor: Who asks.
        checkpoint_id: Whose networks.
        image_id: Row of the image.
        method: `gradcam`, `gradcam++`, `layercam` or `eigencam`.

    Returns:
        For each map's name an overlay PNG at the image's size.

    Raises:
        Blinding: The image waits for the actor in a task without the model's proposals.
        InputRejected: There is no such method.
        NotFound: There is no such checkpoint or image.
        PermissionDenied: The actor is a reader.
    """
    require(actor, CLINICIANS)
    from colpo_core.inference.library import METHODS, library_maps
    from colpo_core.nets.checkpoint import load_checkpoint

    if method not in METHODS:
        raise InputRejected(f"The method must be one of {', '.join(METHODS)}, not {method!r}.")
    with store.reading() as session:
        require_prediction_visible(session, actor, image_id)
    exposures.note_images(store, actor, [image_id], ExposureKind.PREDICTION)
    checkpoint = read_checkpoint(store, checkpoint_id)
    verify_files(store, checkpoint)
    pipeline, _card = load_checkpoint(checkpoint_dir(store, checkpoint.name, checkpoint.sha256))
    content, image = image_bytes(store, actor=actor, image_id=image_id)
    maps = library_maps(pipeline, read_rgb(content), method)
    return {name: map_png(values, height_px=image.height_px, width_px=image.width_px) for name, values in maps.items()}
