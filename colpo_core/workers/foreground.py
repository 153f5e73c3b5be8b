"""What loads torch and is asked for at once: predicting outside images, and maps by other methods.

Only the command line calls this, which is a process of its own; the web process never does.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from colpo_core.errors import InputRejected, NotFound
from colpo_core.images.colours import map_png
from colpo_core.images.decoding import CleanImage, encode_clean, read_rgb
from colpo_core.images.perceptual import Looks, perceptual_hash
from colpo_core.records.models.checkpoints import CheckpointRecord
from colpo_core.services.cases.fingerprints import fill_fingerprints, fingerprints
from colpo_core.services.common import audit, exposures
from colpo_core.services.common.blinding import require_prediction_visible
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.common.stored_images import image_bytes
from colpo_core.services.models.files import checkpoint_dir, verify_files
from colpo_core.services.models.registry import read_checkpoint
from colpo_core.services.snapshots.learned import learned_images, learned_patients
from colpo_core.store import Store
from colpo_core.terms import ExposureKind

if TYPE_CHECKING:
    from colpo_core.inference.folder import FolderReport, LearnedFrom, PredictedFile, RefusedFile


@allowed(CLINICIANS)
def predict_files(
    caller: Caller,
    *,
    checkpoint_id: int,
    images_dir: Path,
    out_dir: Path,
    on_file: "Callable[[PredictedFile | RefusedFile, int, int], None] | None" = None,
) -> "FolderReport":
    """Write a mask for every image of a folder, and a table of what the networks say; nothing is stored.

    The table says of each image whether the checkpoint has learned from it.

    Args:
        caller: Who asks.
        checkpoint_id: Who predicts.
        images_dir: Folder of JPEG, PNG, TIFF and BMP files.
        out_dir: Where masks and `predictions.csv` go.
        on_file: Called after each file with what became of it, its number and how many there are.

    Raises:
        CheckpointMismatch: The checkpoint's files are not what the registry says.
        InputRejected: The folders do not fit.
    """
    from colpo_core.inference.folder import predict_folder
    from colpo_core.nets.checkpoint import load_checkpoint

    checkpoint = read_checkpoint(caller.store, checkpoint_id)
    verify_files(caller.store, checkpoint)
    pipeline, card = load_checkpoint(checkpoint_dir(caller.store, checkpoint.name, checkpoint.sha256))
    met = LearnedImages(caller.store, checkpoint)
    report = predict_folder(pipeline, card, images_dir, out_dir, learned_from=met.tell, on_file=on_file)
    with caller.store.writing() as session:
        counts = {"predicted": len(report.predicted), "refused": len(report.refused)}
        audit.record(session, caller.actor, "predict outside images", f"checkpoint {checkpoint_id}", **counts)
    return report


class LearnedImages:
    """The images that a checkpoint has learned from, ready to be compared with others.

    Args:
        store: The open store.
        checkpoint: The checkpoint.
    """

    def __init__(self, store: Store, checkpoint: CheckpointRecord) -> None:
        self._shas: set[str] = set()
        self._looks = Looks([])
        self._is_whole = False
        try:
            with store.reading() as session:
                learned_patients(session, checkpoint.id)
                images = learned_images(session, checkpoint.id)
        except NotFound:
            return  # Of no image it can be said.
        self._shas = {image.image_sha256 for image in images}
        wanted = {image.image_id for image in images}
        # A lost file leaves images that cannot be compared: of what is like none of the others nothing is known then.
        with suppress(NotFound):
            fill_fingerprints(store, wanted)
        with store.reading() as session:
            known = {image_id: looks for image_id, looks in fingerprints(session).items() if image_id in wanted}
        self._looks = Looks(list(known.values()))
        self._is_whole = known.keys() == wanted

    def tell(self, image: CleanImage) -> "LearnedFrom":
        """Whether the checkpoint has learned from an image."""
        from colpo_core.inference.folder import LearnedFrom

        if len(self._looks) and len(self._looks.near(Looks([perceptual_hash(image.rgb)]))[0]):
            is_same = encode_clean(image).sha256 in self._shas
            return LearnedFrom.YES if is_same else LearnedFrom.NEAR_COPY
        return LearnedFrom.NO if self._is_whole else LearnedFrom.NOT_KNOWN


@allowed(CLINICIANS)
def explain_image(caller: Caller, *, checkpoint_id: int, image_id: int, method: str) -> dict[str, bytes]:
    """Maps of one stored image by another method than the one that predictions keep.

    Args:
        caller: Who asks.
        checkpoint_id: Whose networks.
        image_id: Row of the image.
        method: `gradcam`, `gradcam++`, `layercam` or `eigencam`.

    Returns:
        For each map's name an overlay PNG at the image's size.

    Raises:
        Blinding: The image waits for the caller in a task without the model's proposals.
        InputRejected: There is no such method.
        NotFound: There is no such checkpoint or image.
    """
    from colpo_core.inference.library import METHODS, library_maps
    from colpo_core.nets.checkpoint import load_checkpoint

    if method not in METHODS:
        raise InputRejected(f"The method must be one of {', '.join(METHODS)}, not {method!r}.")
    with caller.store.reading() as session:
        require_prediction_visible(session, caller.actor, image_id)
    exposures.note_images(caller, [image_id], ExposureKind.PREDICTION)
    checkpoint = read_checkpoint(caller.store, checkpoint_id)
    verify_files(caller.store, checkpoint)
    pipeline, _card = load_checkpoint(checkpoint_dir(caller.store, checkpoint.name, checkpoint.sha256))
    content, image = image_bytes(caller, image_id=image_id)
    maps = library_maps(pipeline, read_rgb(content), method)
    return {name: map_png(values, height_px=image.height_px, width_px=image.width_px) for name, values in maps.items()}
