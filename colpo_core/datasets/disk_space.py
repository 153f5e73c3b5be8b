"""Disk space: asked for before much is written, and a sentence where it is lacking."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from colpo_core.errors import JobFailed

SPARE_BYTES = 256 * 2**20
"""What is left to the rest of the program, whose database lies on the same disk."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_WAY_OUT = "Make room on it, or train at a smaller size; decoded images of other snapshots may be deleted."


def check_disk_space(folder: Path, needed_bytes: int) -> None:
    """Look whether a folder's disk can take so much and keep something to spare.

    Args:
        folder: An existing folder.
        needed_bytes: What will be written.

    Raises:
        JobFailed: It cannot.
    """
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes + SPARE_BYTES:
        raise JobFailed(
            f"The disk is too full: {needed_bytes / 1e9:.1f} GB are needed for the training's images and "
            f"{free_bytes / 1e9:.1f} GB are free. {_WAY_OUT}"
        )


@contextmanager
def explaining_disk() -> Iterator[None]:
    """Say in a sentence what keeps the training's images from being written.

    Raises:
        JobFailed: Instead of an OSError within.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise JobFailed(f"The disk ran full while the training's images were written. {_WAY_OUT}") from error
        raise JobFailed(
            f"The training's images cannot be written ({error.strerror or type(error).__name__}). "
            "Look whether the data folder is there and writable, then start the training again."
        ) from error
