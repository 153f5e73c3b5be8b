"""Files that nobody but the program's own account may read: photographs, records, hashes of passwords.

On Windows who may read a folder is inherited from the one above it, and nothing is done here.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from colpo_core.settings import Settings

_FOLDER, _FILE = 0o700, 0o600
_OTHERS = 0o077


def make_private(folder: Path) -> None:
    """Take a folder away from other accounts, and where they could read it, all that lies in it.

    What belongs to another account stays as it is: `readable_by_others` says so.
    """
    if not readable_by_others(folder):
        return
    _set(folder, _FOLDER)
    for place in _below(folder):
        _set(place, _FOLDER if place.is_dir() else _FILE)


def readable_by_others(folder: Path) -> bool:
    """Whether another account of the machine may look into a folder."""
    return os.name != "nt" and folder.exists() and bool(folder.stat().st_mode & _OTHERS)


def privacy_warning(settings: Settings) -> str:
    """A sentence where others may read the store's folder though the program wants it otherwise; else nothing."""
    if not readable_by_others(settings.data_dir):
        return ""
    return (
        f"Other accounts of this machine can read {settings.data_dir}: photographs, records and password hashes. "
        "Let the folder belong to the program's account, on a disk that knows permissions, with mode 700."
    )


def _below(folder: Path) -> Iterator[Path]:
    """All that lies in a folder, without following links out of it."""
    for root, folders, files in os.walk(folder):
        for name in (*folders, *files):
            place = Path(root) / name
            if not place.is_symlink():
                yield place


def _set(place: Path, mode: int) -> None:
    try:
        if stat.S_IMODE(place.stat().st_mode) & _OTHERS:
            place.chmod(mode)
    except (PermissionError, FileNotFoundError):  # another account's, or gone since it was listed
        return
