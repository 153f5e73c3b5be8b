"""Move a store's files from its folder to where several machines share them."""

from dataclasses import replace

from colpo_core.errors import Conflict, NotFound
from colpo_core.records.maintenance import SharedCounts
from colpo_core.services.common import audit
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import ADMINISTRATORS, allowed
from colpo_core.services.models.files import send_checkpoint
from colpo_core.store.blobs import BlobFolder


@allowed(ADMINISTRATORS)
def share_files(caller: Caller) -> SharedCounts:
    """Copy all images, maps and checkpoints of the store's own folder to its shared files; the folder stays as it is.

    What is shared already is passed over, so it can be done again after it was interrupted.

    Raises:
        CheckpointMismatch: A checkpoint's card is damaged.
        Conflict: The settings name no place for shared files.
        FilesUnreachable: The shared files do not answer.
    """
    if caller.store.files is None:
        raise Conflict("Name the place in COLPO_FILES first; nothing was copied.")
    own = replace(caller.store.settings, files_url=None)
    blobs = BlobFolder(own.blobs_dir)
    n_blobs = n_checkpoints = 0
    damaged = []
    for name in sorted(place.name for place in own.blobs_dir.glob("??/*") if len(place.name) == 64):
        try:
            caller.store.blobs.put(blobs.get(name))
            n_blobs += 1
        except NotFound:
            damaged.append(name)
    for folder in sorted(own.checkpoints_dir.glob("[!.]*")):
        send_checkpoint(caller.store.files, folder)
        n_checkpoints += 1
    with caller.store.writing() as session:
        audit.record(
            session, caller.actor, "share files", caller.store.files.url, blobs=n_blobs, checkpoints=n_checkpoints
        )
    return SharedCounts(n_blobs, n_checkpoints, tuple(damaged))
