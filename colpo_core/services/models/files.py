"""Where a checkpoint's files lie: in a folder under its name, or under its hash among the files that machines share.

A folder never changes once it is there. Of shared ones a machine keeps a copy of what it has used.
"""

import hashlib
import os
import shutil
from pathlib import Path
from uuid import uuid4

from colpo_core.errors import CheckpointMismatch
from colpo_core.nets.card import file_sha256, read_card
from colpo_core.records.models.card_seal import CARD_FILE, WEIGHTS_FILE
from colpo_core.records.models.checkpoints import CheckpointRecord
from colpo_core.store import Store
from colpo_core.store.blobs import flush_folder
from colpo_core.store.shared_files import CHECKPOINTS, SharedFiles


def checkpoint_dir(store: Store, name: str, sha256: str) -> Path:
    """The folder of a checkpoint's weights and card, on this machine; it is copied here where it is shared.

    Raises:
        FilesUnreachable: There is no copy here, and the shared files do not answer.
    """
    folder = _place(store, name, sha256)
    if store.files is not None:
        if not folder.exists():
            _fetch(store.files, sha256, folder)
        if folder.exists():
            os.utime(folder)  # so that the copies used longest ago can be told
    return folder


def verify_files(store: Store, checkpoint: CheckpointRecord) -> None:
    """Check that a checkpoint's files are the ones that were published.

    Raises:
        CheckpointMismatch: They are not.
        FilesUnreachable: There is no copy here, and the shared files do not answer.
    """
    folder = checkpoint_dir(store, checkpoint.name, checkpoint.sha256)
    card = read_card(folder)
    try:
        whole = card["sha256"] == checkpoint.sha256 and file_sha256(folder / WEIGHTS_FILE) == card["weights_sha256"]
    except OSError:
        whole = False
    if not whole:
        raise CheckpointMismatch(
            f"The files of {checkpoint.name} are missing or are not the ones that were published. "
            "Restore the store's folder from a back-up."
        )


def prepare_files(store: Store, *, job_id: int, folder: Path) -> Path:
    """Lay a finished checkpoint's files beside their place; the training keeps its own until the job is over.

    So a crash before the registry knows the checkpoint loses nothing: the next attempt hands over the same files.
    Shared files are sent now, since the registry is not kept waiting for a network.

    Args:
        store: The open store.
        job_id: The training that made it.
        folder: The checkpoint's folder, on the store's own disk.

    Returns:
        The folder that `place_files` moves into its place.

    Raises:
        FilesUnreachable: The shared files do not answer.
    """
    prepared = store.settings.checkpoints_dir / f".job-{job_id}"
    if prepared.exists():
        shutil.rmtree(prepared)
    prepared.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(folder, prepared, copy_function=_link_or_copy)
    flush_folder(prepared)
    if store.files is not None:
        send_checkpoint(store.files, prepared)
    return prepared


def place_files(store: Store, prepared: Path, *, name: str, sha256: str) -> None:
    """Move a prepared checkpoint into its place; a folder that the registry does not know is replaced."""
    folder = _place(store, name, sha256)
    if folder.exists():
        shutil.rmtree(folder)
    prepared.rename(folder)
    flush_folder(folder.parent)


def send_checkpoint(files: SharedFiles, folder: Path) -> None:
    """Share a checkpoint's folder under its hash. The card goes last, so one that is there has its weights.

    Raises:
        CheckpointMismatch: The folder's card is damaged.
        FilesUnreachable: The shared files do not answer.
    """
    target = f"{CHECKPOINTS}/{read_card(folder)['sha256']}"
    parts = sorted((part for part in folder.iterdir() if part.is_file()), key=lambda part: part.name == CARD_FILE)
    for part in parts:
        if not _is_shared(files, part, f"{target}/{part.name}"):
            files.send(part, f"{target}/{part.name}")


def _is_shared(files: SharedFiles, part: Path, name: str) -> bool:
    """Whether a file is shared as it is here; one of the same length may be damaged."""
    if files.size(name) != part.stat().st_size:
        return False
    shared = files.read(name)
    return shared is not None and hashlib.sha256(shared).hexdigest() == file_sha256(part)


def _fetch(files: SharedFiles, sha256: str, folder: Path) -> None:
    """Copy a shared checkpoint into a folder that appears whole; none appears where none is shared."""
    source = f"{CHECKPOINTS}/{sha256}"
    names = files.names(source)
    if f"{source}/{CARD_FILE}" not in names:
        return
    copied = folder.with_name(f".{folder.name}.{uuid4().hex}")
    try:
        for name in names:
            files.fetch(name, copied / name.rpartition("/")[2])
        if not folder.exists():  # another process was quicker
            copied.rename(folder)
    finally:
        shutil.rmtree(copied, ignore_errors=True)


def _place(store: Store, name: str, sha256: str) -> Path:
    return store.settings.checkpoints_dir / (name if store.files is None else sha256)


def _link_or_copy(source: str, target: str) -> None:
    """A second name for a file that is never changed; a copy where the disk knows no second names."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
        with Path(target).open("rb+") as file:
            os.fsync(file.fileno())
